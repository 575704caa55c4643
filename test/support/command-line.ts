import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { identifyProcess } from '../../src/redis/embedded/process-identity.ts';
import { untilGone } from './processes.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = `${ROOT}dist/main/cli.js`;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command. */
export interface Command {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<Ended>;
}

/** Starts the built program in the repository's root, without variables that would change what it does. */
export function startCommand(args: readonly string[], variables: Record<string, string> = {}): Command {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: npm run build makes it`);
  const { PATH, HOME } = process.env;
  const environment = { PATH, HOME, TMPDIR: tmpdir(), ...variables };
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: ROOT,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

/** Runs the built program to its end. */
export function runCommand(args: readonly string[], variables?: Record<string, string>): Promise<Ended> {
  return startCommand(args, variables).ended;
}

/** The processes that a process has started, and those that these have started, by id. */
export function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      // After the name in brackets, which may hold anything: state, then the parent.
      const [, parent] = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
      parents.set(Number(name), Number(parent));
    } catch {
      // It ended in between.
    }
  }
  const found = [pid];
  for (const each of found) {
    for (const [child, parent] of parents) if (parent === each) found.push(child);
  }
  return found.slice(1);
}

/** Resolves when all of these are gone; rejects with the first that stays. */
export async function untilAllGone(pids: readonly number[]): Promise<void> {
  for (const pid of pids) if (identifyProcess(pid) !== null) await untilGone(pid);
}
