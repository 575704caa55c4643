import { DomainError, type ErrorCode, ERRORS, type Fault, isErrorCode } from '../errors.ts';

/** RFC 9457 problem details, with every fault. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly instance: string;
  readonly errors: readonly Fault[];
}

/**
 * Status of each code as a response; null for those that never are one: they stand in jobs, results and models, or end a
 * process. Of `request_refused` it is the usual one, beside which it carries any other that HTTP has for a fault of the client.
 */
export const PROBLEM_STATUS = {
  malformed_request: 400,
  request_refused: 400,
  route_not_found: 404,
  resource_not_found: 404,
  not_acceptable: 406,
  already_finished: 409,
  idempotency_key_in_use: 409,
  model_refused: 409,
  model_unavailable: 409,
  results_expired: 410,
  payload_too_large: 413,
  unsupported_media_type: 415,
  validation_failed: 422,
  cannot_certify: 422,
  idempotency_key_reused: 422,
  internal_error: 500,
  server_busy: 503,
  queue_unavailable: 503,
  release_mismatch: 503,
  input_undecodable: null,
  input_wrong_shape: null,
  input_unsupported: null,
  sampling_failed: null,
  device_failed: null,
  model_output_invalid: null,
  noise_unavailable: null,
  model_invalid: null,
  model_digest_mismatch: null,
  engine_missing: null,
  engine_unavailable: null,
  config_invalid: null,
  device_unavailable: null,
  redis_unavailable: null,
} as const satisfies Record<ErrorCode, number | null>;

/** Statuses that problems have. */
export type ProblemStatus = Exclude<(typeof PROBLEM_STATUS)[ErrorCode], null>;

/** Codes that a response can carry. */
export type ProblemCode = {
  [Code in ErrorCode]: (typeof PROBLEM_STATUS)[Code] extends null ? never : Code;
}[ErrorCode];

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';
/** Seconds after which a client may try again when the queue is away. */
export const RETRY_SECONDS = 5;
/** The same, while another request under the same idempotency key is under way. */
export const IN_USE_SECONDS = 1;

export function isProblemCode(code: string): code is ProblemCode {
  return isErrorCode(code) && PROBLEM_STATUS[code] !== null;
}

export const PROBLEM_CODES = Object.keys(PROBLEM_STATUS).filter(isProblemCode);

/** Where a code is explained: the `type` of its problem, stable for ever. */
export const problemType = (code: ErrorCode): string => `/problems/${code}`;

/** The problem that a code stands for. */
export function problem(
  code: ProblemCode,
  detail: string,
  instance: string,
  errors: readonly Fault[] = [],
): Problem {
  return {
    type: problemType(code),
    title: ERRORS[code].title,
    status: PROBLEM_STATUS[code],
    code,
    detail,
    instance,
    errors,
  };
}

/** Any thrown error as a problem; what is not part of the contract becomes `internal_error` and tells nothing. */
export function problemOf(error: unknown, instance: string): Problem {
  if (error instanceof DomainError && isProblemCode(error.code)) {
    return problem(error.code, error.message, instance, error.faults);
  }
  return problem('internal_error', 'The fault is in the log under the id of this request.', instance);
}
