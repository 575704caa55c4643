import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, aroundEach } from 'vitest';
import { endSpanOfFile, inSpanOfTest } from './end-with-test.ts';
import { killAll, processesMarked } from './live-processes.ts';

/** What keeps this process running, by kind. Timers are left out: the runner has its own. */
function openHandles(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind !== 'Timeout' && kind !== 'Immediate') counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** How many handles of each kind are open now and were not before. */
function moreHandles(before: ReadonlyMap<string, number>): string[] {
  return [...openHandles()].flatMap(([kind, count]) => {
    const more = count - (before.get(kind) ?? 0);
    return more > 0 ? [`${more} open: ${kind}`] : [];
  });
}

/**
 * Sees that the test file leaves nothing behind; to be called before the file, by a setup file.
 *
 * The file gets a temporary folder of its own, whose path every process that it starts inherits as TMPDIR: it marks them all.
 * What `endWithTest` is told of is ended in time. When a process, a temporary file or an open handle is there after the
 * file's last hook, it is waited for, then removed, and the file fails.
 *
 * @param limitMs how long what is ending may take to end
 */
export function leaveNothing(limitMs: number): void {
  const outside = process.env['TMPDIR'];
  // Short, since the path of a socket somewhere below may have 107 bytes.
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'f-'));
  process.env['TMPDIR'] = folder;
  const handles = openHandles();
  const leftovers = (): string[] => [
    ...processesMarked(folder).map(({ pid, command }) => `process ${pid}: ${command}`),
    ...readdirSync(folder).map((name) => `in the temporary folder: ${name}`),
    ...moreHandles(handles),
  ];

  aroundEach(inSpanOfTest);
  // The hooks of the file are registered later, and so run before this one.
  afterAll(async () => {
    await endSpanOfFile();
    const deadline = performance.now() + limitMs;
    let left = leftovers();
    for (; left.length > 0 && performance.now() < deadline; left = leftovers()) await delay(20);
    killAll(processesMarked(folder));
    rmSync(folder, { recursive: true, force: true });
    if (outside === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = outside;
    if (left.length > 0) throw new Error(`the file has left behind:\n${left.join('\n')}`);
  });
}
