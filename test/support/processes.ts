import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { commandLineOf, identifyProcess } from './process-identity.ts';
import { endWithTest } from './end-with-test.ts';
import type { FoundProcess } from './live-processes.ts';
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
  const child = endWithTest(
    spawn(process.execPath, ['--input-type=module', '--eval', source, '--', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
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

/** Starts a process that nobody reaps when it has ended. It ends with the test, and with it the parent that does not reap it. */
export async function startUnreaped(command: readonly string[] = ['sleep', '600']): Promise<number> {
  const parent = endWithTest(
    spawn('/bin/sh', ['-c', '"$@" & echo $!; exec sleep 600', 'sh', ...command], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  const [output] = (await once(parent.stdout, 'data')) as [Buffer];
  // A shell might reap it; what it becomes does not.
  await until(() => commandLineOf(parent.pid!)[0] === 'sleep', { what: 'a parent that is no shell' });
  return Number(output.toString());
}

/** Whether a process runs; one that has ended and that nobody has reaped does not. */
export function isAlive(pid: number): boolean {
  return identifyProcess(pid) !== null;
}

/** Resolves when none of the processes is alive. */
export async function untilGone(...pids: readonly number[]): Promise<void> {
  for (const pid of pids) await until(() => !isAlive(pid), { what: `process ${pid} to be gone` });
}

/** Resolves when none of the processes is alive. */
export function untilAllGone(processes: readonly FoundProcess[]): Promise<void> {
  return untilGone(...processes.map(({ pid }) => pid));
}
