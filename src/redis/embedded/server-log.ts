import { logLine } from '../../log-events.ts';
import type { EmbeddedRedisLogger } from './embedded-redis-logger.ts';

export interface ServerLog {
  /** Takes a piece of the server's output, split anywhere. */
  write(chunk: string): void;
  /** Passes on what came without a closing line break. */
  end(): void;
  /** The last lines that deserved a warning, oldest first. */
  tail(): string;
}

const TAIL_LINES = 8;
const LINE_LIMIT = 2_000;
/**
 * What Redis says at its highest level (6.2 and 7.0 know no other for it) at every start and wanted stop, and its advice on
 * the kernel's settings, which is for the administrator of a Redis machine and not for the user of a laptop.
 */
const ROUTINE = new RegExp(
  [
    '(Redis|Valkey) is starting',
    '(Redis|Valkey) version=',
    'Configuration loaded',
    'Server initialized',
    'Memory overcommit must be enabled',
    'Transparent Huge Pages',
    'User requested shutdown',
    '(Redis|Valkey) is now ready to exit',
    'Received SIG(TERM|INT) scheduling shutdown',
  ].join('|'),
);

/** Whether a line of the server's log deserves a warning: it is of its level `#` and not said at every start and stop. */
export function isWarning(line: string): boolean {
  const level = /^\d+:[XCSM] .*?\d\d:\d\d:\d\d\.\d{3} ([.\-*#]) /.exec(line)?.[1];
  // A line in no known form comes from the launcher or the dynamic loader: something is wrong.
  return (level === undefined || level === '#') && !ROUTINE.test(line);
}

/** Passes the server's output on to the logger line by line, and keeps the last lines for an error's message. */
export function createServerLog(logger: EmbeddedRedisLogger): ServerLog {
  let rest = '';
  const tail: string[] = [];
  const take = (rawLine: string): void => {
    const line = rawLine.trim().slice(0, LINE_LIMIT);
    if (line === '') return;
    if (!isWarning(line)) {
      logger.debug(...logLine('embedded_redis_output', { line }));
      return;
    }
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    logger.warn(...logLine('embedded_redis_output', { line }));
  };
  return {
    write(chunk) {
      const lines = (rest + chunk).split('\n');
      rest = (lines.pop() ?? '').slice(0, LINE_LIMIT);
      for (const line of lines) take(line);
    },
    end() {
      take(rest);
      rest = '';
    },
    tail: () => tail.join('\n'),
  };
}
