export type EmbeddedRedisErrorCode = 'redis_server_unavailable' | 'redis_data_in_use' | 'redis_start_failed';

/**
 * The only error that this folder throws on purpose. Its message is written for the person at the terminal:
 * it says what to install, stop or set.
 *
 * - `redis_server_unavailable`: no usable server was found and none could be fetched; the message has two lines.
 * - `redis_data_in_use`: another live process owns the data directory; the message names its pid.
 * - `redis_start_failed`: a server was found and did not come up, or stopped too often; the message ends with
 *   the last lines of its log.
 */
export class EmbeddedRedisError extends Error {
  override readonly name = 'EmbeddedRedisError';
  readonly code: EmbeddedRedisErrorCode;

  constructor(code: EmbeddedRedisErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
