import { destination, pino, type Logger as PinoLogger } from 'pino';

export type Logger = PinoLogger;

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Bytes of lines that wait for room; further ones are dropped. */
const MOST_WAITING = 1024 * 1024;

/**
 * A JSON logger on stderr: stdout belongs to the data that commands print. Lines that cannot be written, on a full disk
 * or to a reader that is gone, wait in memory or are lost: the work is worth more than its log.
 */
export function createLogger(level: LogLevel, name: string): Logger {
  const stderr = destination({ fd: 2, sync: true, maxLength: MOST_WAITING });
  stderr.on('error', () => undefined);
  return pino({ level, name, base: { pid: process.pid } }, stderr);
}
