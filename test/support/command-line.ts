import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { endWithTest } from './end-with-test.ts';
import { SHARED_CACHE } from './shared-cache.ts';

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

/**
 * Starts the built program in the repository's root, without variables that would change what it does. It ends with the test.
 */
export function startCommand(args: readonly string[], variables: Record<string, string> = {}): Command {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: npm run build makes it`);
  const { PATH, HOME } = process.env;
  const environment = { PATH, HOME, TMPDIR: tmpdir(), SMOOTHCERT_CACHE_DIR: SHARED_CACHE, ...variables };
  const child = endWithTest(
    spawn(process.execPath, [PROGRAM, ...args], {
      cwd: ROOT,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
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
