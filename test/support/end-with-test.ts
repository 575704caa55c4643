import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { identifyProcess, isRunning } from './process-identity.ts';
import { descendantsOf } from './live-processes.ts';

/** How long a process that outlives its test may take to wind up before it is killed. */
const WIND_UP_MS = 20_000;

/** The processes that are started for something. */
type Span = Set<ChildProcess>;

/** Tests may run at the same time: whatever a test calls finds that test's span. */
const ofTest = new AsyncLocalStorage<Span>();
const ofFile: Span = new Set();

/**
 * Ends a process when the test that has started it ends, however that ends; one that is started outside tests, when its file
 * does. A process that the test ends itself has ended.
 */
export function endWithTest<Child extends ChildProcess>(child: Child): Child {
  const span = ofTest.getStore() ?? ofFile;
  span.add(child);
  child.once('exit', () => span.delete(child));
  return child;
}

/** Runs a test with its hooks, and ends what they have started. */
export async function inSpanOfTest(runTest: () => Promise<void>): Promise<void> {
  const span: Span = new Set();
  try {
    await ofTest.run(span, runTest);
  } finally {
    await endAll(span);
  }
}

/** Ends what the file has started outside of tests. */
export const endSpanOfFile = (): Promise<void> => endAll(ofFile);

/** With SIGTERM first, since SIGKILL leaves files behind; then what they have started. */
async function endAll(span: Span): Promise<void> {
  await Promise.all([...span].map((child) => end(child)));
}

async function end(child: ChildProcess): Promise<void> {
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
