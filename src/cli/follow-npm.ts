import { readFileSync } from 'node:fs';

const POLL_MILLISECONDS = 500;

/**
 * Asks this process to end, as SIGTERM does, when the npm or npx that started it is gone. Neither passes on its own
 * SIGTERM to what it runs behind a shell, and a kill it cannot: the service would go on unseen. Where the system does
 * not tell who npm is, nothing is done.
 */
export function followNpm(): void {
  const npm = findNpm();
  if (npm === null) return;
  const timer = setInterval(() => {
    if (npm.stillThere()) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, POLL_MILLISECONDS);
  timer.unref();
}

/** npm is the parent, or the parent of the shell that it runs its commands in. */
function findNpm(): { stillThere(): boolean } | null {
  const parent = process.ppid;
  if (isNpm(parent)) return { stillThere: () => process.ppid === parent };
  const grandparent = parentOf(parent);
  if (grandparent === null || !isNpm(grandparent)) return null;
  return { stillThere: () => process.ppid === parent && parentOf(parent) === grandparent };
}

/** npm writes its command over its command line: "npm exec smoothcert serve". */
function isNpm(pid: number): boolean {
  return /^(npm|npx)\b|\/np[mx]-cli\.js\b/.test(read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') ?? '');
}

function parentOf(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`);
  // Field 2 is the program's name in brackets, which may hold anything; the parent is field 4.
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
