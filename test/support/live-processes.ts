import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface FoundProcess {
  readonly pid: number;
  /** Its arguments, or its name in brackets where it has none. */
  readonly command: string;
}

interface Entry extends FoundProcess {
  readonly parent: number;
  /** What it was started with and where: arguments, environment, working directory. */
  readonly traces: string;
}

/** What a reading of /proc gives, or '' where the process has ended or is another user's. */
function tryRead(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** All live processes. A zombie is none: it holds nothing, and its parent may be long in reaping it. */
function liveProcesses(): Entry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const folder = `/proc/${name}`;
      const stat = tryRead(() => readFileSync(`${folder}/stat`, 'latin1'));
      // Between brackets is the program's name, which may hold brackets itself; then state and parent follow.
      const end = stat.lastIndexOf(')');
      const [state, parent] = stat.slice(end + 2).split(' ');
      if (end < 0 || state === 'Z' || state === 'X') return [];
      const command = tryRead(() => readFileSync(`${folder}/cmdline`, 'utf8').replaceAll('\0', ' ').trim());
      const environment = tryRead(() => readFileSync(`${folder}/environ`, 'utf8'));
      const directory = tryRead(() => readlinkSync(`${folder}/cwd`));
      return {
        pid: Number(name),
        parent: Number(parent),
        command: command || stat.slice(stat.indexOf('('), end + 1),
        traces: [command, environment, directory].join('\n'),
      };
    });
}

/** Adds to `found` whatever these processes have started, and what that has. */
function withDescendants(found: readonly Entry[], all: readonly Entry[]): Entry[] {
  const entries = new Set(found);
  for (const entry of entries) for (const each of all) if (each.parent === entry.pid) entries.add(each);
  return [...entries];
}

const shown = ({ pid, command }: Entry): FoundProcess => ({ pid, command });

/** The live processes that a process has started, and those that these have started. */
export function descendantsOf(pid: number): FoundProcess[] {
  const all = liveProcesses();
  return withDescendants(
    all.filter(({ parent }) => parent === pid),
    all,
  ).map(shown);
}

/**
 * The live processes that carry `mark` in their environment, arguments or working directory, and their descendants: so also
 * those whose parent has ended, whoever has adopted them. This process is never among them.
 */
export function processesMarked(mark: string): FoundProcess[] {
  const all = liveProcesses().filter(({ pid }) => pid !== process.pid);
  return withDescendants(
    all.filter(({ traces }) => traces.includes(mark)),
    all,
  ).map(shown);
}

/** Ends these processes at once. */
export function killAll(processes: readonly FoundProcess[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}
