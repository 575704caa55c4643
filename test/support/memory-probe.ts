import { readFileSync } from 'node:fs';
import type { ServiceProcess } from './service.ts';
import { until } from './until.ts';

/**
 * NODE_OPTIONS of a process that collects garbage and logs what is left whenever it is told to; close-with-grace leaves this
 * signal alone.
 */
export const PROBED = `--expose-gc --import=data:text/javascript,${encodeURIComponent(`process.on('SIGWINCH', () => {
  globalThis.gc(); globalThis.gc();
  process.stderr.write(JSON.stringify({ msg: 'memory', ...process.memoryUsage() }) + '\\n');
});`)}`;

export interface Memory {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
}

/** What a probed process holds after a collection of garbage, bytes. */
export async function memoryOf({ child, log }: ServiceProcess): Promise<Memory> {
  const before = log.filter(({ msg }) => msg === 'memory').length;
  child.kill('SIGWINCH');
  return until(() => log.filter(({ msg }) => msg === 'memory')[before] as unknown as Memory | undefined, {
    what: 'what the process holds',
  });
}

/** The most that a process has ever had in memory, bytes. */
export function peakOf({ child }: ServiceProcess): number {
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]);
}
