import { readFileSync } from 'node:fs';

/** A process for good: a pid alone is reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process; 0 where the system does not tell. */
  readonly startTime: number;
}

/**
 * The live process that has this pid now, or null. A zombie is not alive: it holds no file and runs no code, though
 * `kill(pid, 0)` succeeds for as long as nobody reaps it, which is for ever under an init that does not.
 */
export function identifyProcess(pid: number): ProcessIdentity | null {
  if (process.platform !== 'linux') return canBeSignalled(pid) ? { pid, startTime: 0 } : null;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  const parsed = parseProcessStat(stat);
  return parsed === null || parsed.state === 'Z' || parsed.state === 'X'
    ? null
    : { pid, startTime: parsed.startTime };
}

/** Whether that very process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startTime === identity.startTime;
}

/** State (field 3) and start time (field 22) of a line of `/proc/PID/stat`, or null when it is not one. */
export function parseProcessStat(
  stat: string,
): { readonly state: string; readonly startTime: number } | null {
  // Field 2 is the program's name in brackets, which may itself hold spaces and brackets.
  const end = stat.lastIndexOf(')');
  if (end < 0) return null;
  const fields = stat
    .slice(end + 1)
    .trim()
    .split(/\s+/);
  const state = fields[0];
  const startTime = Number(fields[19]);
  return state === undefined || fields.length < 20 || !Number.isSafeInteger(startTime)
    ? null
    : { state, startTime };
}

/** The arguments that a process was started with, or an empty list where the system does not tell. */
export function commandLineOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function canBeSignalled(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
