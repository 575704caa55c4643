import { spawn } from 'node:child_process';
import type { EmbeddedRedisLogger } from './embedded-redis-logger.ts';
import type { LaunchCommand } from '../../launch.ts';
import { identifyProcess, type ProcessIdentity } from './process-identity.ts';
import { createServerLog } from './server-log.ts';

const OUTPUT_GRACE_MS = 200;

export interface ServerProcess {
  /** Null when the program could not be started, or was gone at once. */
  readonly identity: ProcessIdentity | null;
  /** Resolves when the process has ended and its output is read, with how it ended; never rejects. */
  readonly ended: Promise<string>;
  /** The last warnings of its log. */
  logTail(): string;
  /** Sends a signal if the process still runs. */
  signal(name: NodeJS.Signals): void;
}

/** Starts the server with the environment of this process and passes its output to the logger. */
export function startServerProcess(command: LaunchCommand, logger: EmbeddedRedisLogger): ServerProcess {
  const child = spawn(command.executable, command.args, {
    // A session of its own: Ctrl-C goes to every process of the terminal's foreground group, and the server must
    // outlast the jobs that are being wound up.
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createServerLog(logger);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => log.write(chunk));
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(error.message);
    });
    child.once('exit', (code, signal) => {
      const settle = (): void => {
        clearTimeout(impatience);
        for (const stream of [child.stdout, child.stderr]) stream.destroy();
        log.end();
        resolve(signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`);
      };
      // A child that rewrites the append-only file keeps the pipes of a killed server open; nobody waits for it.
      const impatience = setTimeout(settle, OUTPUT_GRACE_MS);
      child.once('close', settle);
    });
  });
  return {
    identity: child.pid === undefined ? null : identifyProcess(child.pid),
    ended,
    logTail: () => log.tail(),
    signal: (name) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(name);
    },
  };
}
