import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { identifyProcess, isRunning } from './process-identity.ts';
import { descendantsOf } from './live-processes.ts';

/** How long a process that outlives its test may take to wind up before it is killed. */
const WIND_UP_MS = 20_000;

/** What a process is started for. */
export type Span = 'test' | 'file';

const started = new Map<ChildProcess, Span>();
let span: Span = 'file';

/** Says what the processes that are started from now on are for. */
export function beginSpan(next: Span): void {
  span = next;
}

/**
 * Ends a process when the test that has started it ends, however that ends; one that is started outside tests, when its file
 * does. A process that the test ends itself has ended.
 */
export function endWithTest<Child extends ChildProcess>(child: Child): Child {
  started.set(child, span);
  child.once('exit', () => started.delete(child));
  return child;
}

/** Ends what was started for that, and what it has started: with SIGTERM first, since SIGKILL leaves files behind. */
export async function endSpan(over: Span): Promise<void> {
  const left = [...started].filter(([, each]) => each === over).map(([child]) => child);
  await Promise.all(left.map((child) => end(child)));
}

async function end(child: ChildProcess): Promise<void> {
  started.delete(child);
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const offspring = descendantsOf(child.pid).map(({ pid }) => identifyProcess(pid));
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = new AbortController();
  const late = delay(WIND_UP_MS, undefined, { signal: patience.signal }).catch(() => undefined);
  await Promise.race([exited, late]);
  patience.abort();
  child.kill('SIGKILL');
  await exited;
  for (const each of offspring) if (each !== null && isRunning(each)) process.kill(each.pid, 'SIGKILL');
}
