import { type Blame, DomainError, type ErrorCode, ERRORS } from '../errors.ts';
import { EmbeddedRedisError } from '../redis/embedded/embedded-redis-error.ts';
import { ServiceUnavailableError } from './client.ts';
import { InterruptedError } from './interrupt.ts';

/** What the command's status says to scripts. */
export const EXIT = {
  /** Everything that was asked is answered; an abstention is an answer. */
  ok: 0,
  /** Some input, model or job failed. */
  failed: 1,
  /** The command line or a value on it is not allowed; nothing was done. */
  usage: 2,
  /** The service, or what it needs, cannot be reached or started. */
  unavailable: 3,
} as const;

type Failed = Exclude<keyof typeof EXIT, 'ok'>;

/** What a command ends with, by whose fault it is. */
const BY_BLAME: Readonly<Record<Blame, Failed>> = {
  caller: 'usage',
  input: 'failed',
  model: 'failed',
  device: 'failed',
  operator: 'unavailable',
  server: 'failed',
};

/** Codes that tell a script something else than their blame does. */
const EXCEPTIONS: Readonly<Partial<Record<ErrorCode, Failed>>> = {
  // The command line was allowed: what it asks for is not there, or not there any more.
  request_refused: 'failed',
  route_not_found: 'failed',
  resource_not_found: 'failed',
  already_finished: 'failed',
  results_expired: 'failed',
  idempotency_key_in_use: 'unavailable',
  // One model of several, as if it could not be loaded; one job of another release.
  model_unavailable: 'failed',
  noise_unavailable: 'failed',
  // Settings are options of the command too.
  config_invalid: 'usage',
};

/** The status that an error ends the command with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof InterruptedError) return error.exitCode;
  if (error instanceof ServiceUnavailableError || error instanceof EmbeddedRedisError)
    return EXIT.unavailable;
  if (!(error instanceof DomainError)) return EXIT.failed;
  return EXIT[EXCEPTIONS[error.code] ?? BY_BLAME[ERRORS[error.code].blame]];
}
