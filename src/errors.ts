/**
 * The closed table of errors that Smoothcert reports, by stable code: what each is, whose fault, and what to do about it.
 * It knows nothing of HTTP or queues. What a code is elsewhere follows from its row, or is said there of every code: the
 * status of a response (`api/problem.ts`) and of a command (`cli/exit-code.ts`), whether another attempt is made
 * (`jobs/retry.ts`), and whether a device is blamed (`host/supervised-host.ts`).
 */
export const ERRORS = {
  malformed_request: {
    title: 'The request cannot be read.',
    blame: 'caller',
    help: 'Mend what the detail names; /docs shows an example of each request.',
  },
  validation_failed: {
    title: 'The request has values that are not allowed.',
    blame: 'caller',
    help: 'Mend every value that is pointed at; beside each stands what is allowed.',
  },
  cannot_certify: {
    title: 'No outcome of this request could ever be a certificate of what it asks.',
    blame: 'caller',
    help: 'Ask for more samples (n), or allow a larger alpha; the detail says how many are the least.',
  },
  payload_too_large: {
    title: 'The request is larger than this server accepts.',
    blame: 'caller',
    help: 'Send the inputs in several requests; the detail says how large one may be. The operator can allow more.',
  },
  unsupported_media_type: {
    title: 'The content type of the request is not one that this route reads.',
    blame: 'caller',
    help: 'Send application/json, or multipart/form-data with image files where the route takes inputs.',
  },
  not_acceptable: {
    title: 'What the request asks for is not there in any form that it accepts.',
    blame: 'caller',
    help: 'Send an Accept that allows one of the media types that the detail names, or none; or name the form in the query.',
  },
  request_refused: {
    title: 'The server does not serve a request like this one; its status says of which kind.',
    blame: 'caller',
    help: 'Mend what the detail names; the status has its meaning in HTTP.',
  },
  route_not_found: {
    title: 'There is no such route.',
    blame: 'caller',
    help: 'Compare method and path with /docs, which lists every route.',
  },
  resource_not_found: {
    title: 'There is no such resource.',
    blame: 'caller',
    help: 'Compare id and kind with the list that it should be in; what is long past its retention is gone for good.',
  },
  already_finished: {
    title: 'The job has ended; it cannot be changed any more.',
    blame: 'caller',
    help: 'Read its results; for other ones submit a new job.',
  },
  idempotency_key_reused: {
    title: 'The Idempotency-Key was sent before with another request.',
    blame: 'caller',
    help: 'Give every new request a key of its own; repeat a request unchanged, or with a new key.',
  },
  idempotency_key_in_use: {
    title: 'A request with this Idempotency-Key is still being accepted.',
    blame: 'caller',
    help: 'Send it again in a second: the answer is then the job that the first one has created.',
  },
  results_expired: {
    title: 'The results are past their retention and have been deleted.',
    blame: 'caller',
    help: 'Submit the inputs again, and read the results before the time that the job states (expiresAt).',
  },
  server_busy: {
    title: 'The server has as many large requests under way as its memory allows; nothing was accepted.',
    blame: 'operator',
    help: 'Send the same request again in some seconds; smaller ones, or fewer at a time, need less memory.',
  },
  queue_unavailable: {
    title: 'The queue cannot be reached right now; nothing was accepted, unless under an Idempotency-Key.',
    blame: 'operator',
    help: 'Send the same request again in some seconds, under the same key if it had one. If it lasts, the operator must see to the Redis server.',
  },
  internal_error: {
    title: 'The server met a fault of its own.',
    blame: 'server',
    help: 'Try again. If it recurs, tell the operator when: the log has the fault, which is one of Smoothcert.',
  },
  input_undecodable: {
    title: 'The bytes of the input are not a readable image.',
    blame: 'input',
    help: 'Send a whole PNG, JPEG or WebP file, unchanged; the detail says what was found instead.',
  },
  input_wrong_shape: {
    title: 'The input does not have the shape that the model takes.',
    blame: 'input',
    help: 'Crop or scale it to what the detail names: it is never resized here, for that would certify another image.',
  },
  input_unsupported: {
    title: 'The image has a feature that cannot be mapped to the input tensor without loss.',
    blame: 'input',
    help: 'Convert it to what the detail names: one frame, 8 bits a channel, no transparency, upright, RGB or grey.',
  },
  sampling_failed: {
    title: 'The noisy samples of the input could not be drawn.',
    blame: 'server',
    help: 'Submit the input again. If it recurs, show the detail to the operator: the log of the worker has more.',
  },
  device_failed: {
    title: 'The device that drew the samples failed, and so did every other attempt.',
    blame: 'device',
    help: 'Submit the input again later; /v1/devices shows the operator how each device is, and the log says why.',
  },
  model_output_invalid: {
    title: 'The model answered with something that is not a finite score per class.',
    blame: 'model',
    help: 'Use another model, or less noise; who made it must find where its scores overflow or are of another kind.',
  },
  model_refused: {
    title: 'Every worker that has the model could not load it.',
    blame: 'model',
    help: 'Use a model that /v1/models shows as loaded; beside this one stands what the operator must mend.',
  },
  model_unavailable: {
    title: 'No worker has the model with the digest that the job names.',
    blame: 'operator',
    help: 'Use a model that /v1/models shows as loaded; or the operator starts a worker on the same folder of models.',
  },
  noise_unavailable: {
    title: 'No worker draws noise by the scheme that the job was accepted with.',
    blame: 'operator',
    help: 'Submit the inputs again; or the operator starts a worker of the release that accepted the job.',
  },
  model_invalid: {
    title: 'The model folder is not a valid model.',
    blame: 'model',
    help: 'Mend what the detail names (docs/your-model.md); "smoothcert models check" tries the folder again.',
  },
  engine_missing: {
    title: 'The library that runs the model is not installed.',
    blame: 'operator',
    help: 'Install what the detail names (docs/engines.md), and start the worker again.',
  },
  engine_unavailable: {
    title: 'The library that runs the model cannot compute as it is told to here.',
    blame: 'operator',
    help: 'Mend what the detail names, or choose another setting that it offers (docs/engines.md).',
  },
  model_digest_mismatch: {
    title: 'A file of the model differs from the digest in its manifest.',
    blame: 'model',
    help: 'Put back the file that the manifest was written for; a changed one is a new model: "smoothcert models add".',
  },
  config_invalid: {
    title: 'The configuration has values that are not allowed.',
    blame: 'operator',
    help: 'Mend every variable or option that is named; README.md lists them all.',
  },
  device_unavailable: {
    title: 'A device that the worker is told to compute on cannot be used.',
    blame: 'operator',
    help: 'Mend what the detail names, or choose devices that are there (docs/devices.md, docs/gpu.md).',
  },
  redis_unavailable: {
    title: 'No Redis server can be reached or started.',
    blame: 'operator',
    help: 'Mend what the detail names: the address of Redis, its settings, or where its program is to come from.',
  },
  release_mismatch: {
    title: 'What is stored was written by another release, and this one does not read it.',
    blame: 'operator',
    help: 'Let the release that wrote it finish its jobs, or have them cancelled there; the detail names them.',
  },
} as const satisfies Record<string, ErrorKind>;

/** What one code says to people. */
export interface ErrorKind {
  readonly title: string;
  readonly blame: Blame;
  /** What whoever meets it can do, in one or two sentences. */
  readonly help: string;
}

export const BLAMES = ['caller', 'input', 'model', 'device', 'operator', 'server'] as const;

/**
 * Whose fault an error is. caller: of the request or the command; input: of one image; model: of the files of a model;
 * device: of hardware and its driver; operator: of what the service was given to run with; server: Smoothcert's own.
 */
export type Blame = (typeof BLAMES)[number];

export type ErrorCode = keyof typeof ERRORS;

export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

/** One fault: where (an RFC 6901 JSON pointer into the request, or a name) and what is wrong and allowed. */
export interface Fault {
  readonly pointer: string;
  readonly detail: string;
}

/** Why a job, an input or a piece of work failed: data, where DomainError is thrown. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** An error that is part of the product's contract: a stable code, a sentence, and every fault found. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  readonly faults: readonly Fault[];

  constructor(code: ErrorCode, detail?: string, faults: readonly Fault[] = [], options?: ErrorOptions) {
    super(detail ?? ERRORS[code].title, options);
    this.code = code;
    this.faults = faults;
  }
}

/** What an error says; anything may be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error as data. @param otherwise the code of one that is no part of the contract */
export function failureOf(error: unknown, otherwise: ErrorCode): Failure {
  return { code: error instanceof DomainError ? error.code : otherwise, detail: messageOf(error) };
}

/** Whether `code` stands in the table: values read back from storage are checked with it. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}
