import { spawn } from 'node:child_process';
import type { EmbeddedRedisLogger } from './embedded-redis-logger.ts';
import type { LaunchCommand } from '../../launch.ts';
import { createServerLog } from './server-log.ts';

const OUTPUT_GRACE_MS = 200;

export interface ServerProcess {
  /** Null when the program could not be started. */
  readonly pid: number | null;
  /** Resolves when the process has ended and its output is read, with how it ended; never rejects. */
  readonly ended: Promise<string>;
  /** The last warnings of its log. */
  logTail(): string;
  /** Sends a signal if the process still runs. */
  signal(name: NodeJS.Signals): void;
}

/** Starts the server with the environment of this process and an open file, and passes its output to the logger. */
export function startServerProcess(
  command: LaunchCommand,
  openFile: number,
  logger: EmbeddedRedisLogger,
): ServerProcess {
  const child = spawn(command.executable, command.args, {
    // A session of its own: Ctrl-C goes to every process of the terminal's foreground group, and the server must
    // outlast the jobs that are being wound up.
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe', openFile],
  });
  const log = createServerLog(logger);
  const output = [child.stdout, child.stderr].filter((stream) => stream !== null);
  for (const stream of output) {
    stream.setEncoding('utf8').on('data', (chunk: string) => log.write(chunk));
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(error.message);
    });
    child.once('exit', (code, signal) => {
      const settle = (): void => {
        clearTimeout(impatience);
        for (const stream of output) stream.destroy();
        log.end();
        resolve(signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`);
      };
      // A child that rewrites the append-only file keeps the pipes of a killed server open; nobody waits for it.
      const impatience = setTimeout(settle, OUTPUT_GRACE_MS);
      child.once('close', settle);
    });
  });
  return {
    pid: child.pid ?? null,
    ended,
    logTail: () => log.tail(),
    signal: (name) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(name);
    },
  };
}
