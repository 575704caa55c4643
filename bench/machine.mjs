import { cpus, loadavg, totalmem } from 'node:os';

/** One line that says what the figures were measured on. */
export function machine() {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0].toFixed(1);
  return `${cpus().length} x ${cpu.model.trim()}, ${memory} GiB, Node ${process.version}, load ${load} at start`;
}
