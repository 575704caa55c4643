import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { identifyProcess } from '../../src/redis/embedded/process-identity.ts';
import { until } from './until.ts';

export interface Script {
  readonly child: ChildProcess;
  /** The next line of its standard output, as JSON. Rejects when the process ends without one. */
  nextLine(): Promise<unknown>;
  /** Kills it with SIGKILL if it still runs, and waits for its end. */
  kill(): Promise<void>;
}

/** Runs the text of an ES module in a Node process of its own; what it writes to standard error is shown. */
export function runScript(source: string, args: readonly string[] = []): Script {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source, '--', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    async nextLine() {
      const line = await lines.next();
      if (line.done === true) throw new Error('the script ended without another line');
      return JSON.parse(line.value);
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Resolves when the process is gone; a zombie counts as gone. */
export async function untilGone(pid: number, timeoutMs = 5_000): Promise<void> {
  await until(() => identifyProcess(pid) === null, { what: `process ${pid} to be gone`, timeoutMs });
}
