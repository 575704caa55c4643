import { DomainError, type ErrorCode } from '../errors.ts';
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

const USAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  'malformed_request',
  'validation_failed',
  'cannot_certify',
  'payload_too_large',
  'unsupported_media_type',
  'config_invalid',
]);

const UNAVAILABLE_CODES: ReadonlySet<ErrorCode> = new Set([
  'queue_unavailable',
  'server_busy',
  'redis_unavailable',
  'release_mismatch',
  'device_unavailable',
  'engine_missing',
  'engine_unavailable',
]);

/** The status that an error ends the command with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof InterruptedError) return error.exitCode;
  if (error instanceof ServiceUnavailableError || error instanceof EmbeddedRedisError)
    return EXIT.unavailable;
  if (error instanceof DomainError) {
    if (USAGE_CODES.has(error.code)) return EXIT.usage;
    if (UNAVAILABLE_CODES.has(error.code)) return EXIT.unavailable;
  }
  return EXIT.failed;
}
