/** What the embedded server needs of a logger: four methods of pino's. */
export interface EmbeddedRedisLogger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}
