/**
 * The closed table of errors that Smoothcert reports, by stable code. It knows nothing of HTTP or queues:
 * `api/problem.ts` maps codes to statuses, `jobs` stores them beside the inputs that they concern.
 */
export const ERRORS = {
  malformed_request: 'The request cannot be read.',
  validation_failed: 'The request has values that are not allowed.',
  cannot_certify: 'No outcome of this request could ever be a certificate of what it asks.',
  payload_too_large: 'The request is larger than this server accepts.',
  unsupported_media_type: 'The content type of the request is not one that this route reads.',
  request_refused: 'The server does not serve a request like this one; its status says of which kind.',
  route_not_found: 'There is no such route.',
  resource_not_found: 'There is no such resource.',
  already_finished: 'The job has ended; it cannot be changed any more.',
  results_expired: 'The results are past their retention and have been deleted.',
  server_busy: 'The server has as many large requests under way as its memory allows; nothing was accepted.',
  queue_unavailable: 'The queue cannot be reached right now; nothing was accepted.',
  internal_error: 'The server met a fault of its own.',
  input_undecodable: 'The bytes of the input are not a readable image.',
  input_wrong_shape: 'The input does not have the shape that the model takes.',
  input_unsupported: 'The image has a feature that cannot be mapped to the input tensor without loss.',
  sampling_failed: 'The noisy samples of the input could not be drawn.',
  device_failed: 'The device that drew the samples failed, and so did every other attempt.',
  model_output_invalid: 'The model answered with something that is not a finite score per class.',
  model_refused: 'Every worker that has the model could not load it.',
  model_unavailable: 'No worker has the model with the digest that the job names.',
  noise_unavailable: 'No worker draws noise by the scheme that the job was accepted with.',
  model_invalid: 'The model folder is not a valid model.',
  engine_missing: 'The library that runs the model is not installed.',
  engine_unavailable: 'The library that runs the model cannot compute as it is told to here.',
  model_digest_mismatch: 'A file of the model differs from the digest in its manifest.',
  config_invalid: 'The configuration has values that are not allowed.',
  device_unavailable: 'A device that the worker is told to compute on cannot be used.',
  redis_unavailable: 'No Redis server can be reached or started.',
  release_mismatch: 'What is stored was written by another release, and this one does not read it.',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof ERRORS;

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
    super(detail ?? ERRORS[code], options);
    this.code = code;
    this.faults = faults;
  }
}

/** Whether `code` stands in the table: values read back from storage are checked with it. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}
