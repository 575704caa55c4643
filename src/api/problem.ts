import { DomainError, type ErrorCode, ERRORS, type Fault } from '../errors.ts';

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
 * Status of each code that a response can carry; of `request_refused` the usual one, beside which it carries any other that
 * HTTP has for a fault of the client. Codes of inputs and of start-up never are a response.
 */
export const PROBLEM_STATUS = {
  malformed_request: 400,
  request_refused: 400,
  route_not_found: 404,
  resource_not_found: 404,
  already_finished: 409,
  model_refused: 409,
  model_unavailable: 409,
  results_expired: 410,
  payload_too_large: 413,
  unsupported_media_type: 415,
  validation_failed: 422,
  cannot_certify: 422,
  internal_error: 500,
  server_busy: 503,
  queue_unavailable: 503,
  release_mismatch: 503,
} as const satisfies Partial<Record<ErrorCode, number>>;

export type ProblemCode = keyof typeof PROBLEM_STATUS;

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';
/** Seconds after which a client may try again when the queue is away. */
export const RETRY_SECONDS = 5;

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEM_STATUS, code);
}

/** The problem that a code stands for; `type` is stable for ever. */
export function problem(
  code: ProblemCode,
  detail: string,
  instance: string,
  errors: readonly Fault[] = [],
): Problem {
  return {
    type: `/problems/${code}`,
    title: ERRORS[code],
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
