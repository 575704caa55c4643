import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findExecutable } from '../../src/find-executable.ts';
import { dieWithParent } from '../../src/die-with-parent.ts';
import { runCommand } from '../../src/run-command.ts';
import { writeProgram } from '../support/search-path.ts';

const PATH = process.env['PATH'] ?? '';
const HAS_SETPRIV = process.platform === 'linux' && findExecutable(['setpriv'], PATH) !== null;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'smoothcert-test-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe.runIf(HAS_SETPRIV)('a program that shall die with this process', () => {
  test('is started as the very process that was spawned, with its arguments as they are', async () => {
    const launch = await dieWithParent(PATH);
    const { executable, args } = launch('/bin/sh', ['-c', 'printf "%s|" "$$" "$@"', 'sh', 'a b', '', '$x']);
    const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child, 'close');
    expect(output).toBe(`${child.pid}|a b||$x|`);
  });

  test('keeps its own exit status', async () => {
    const { executable, args } = (await dieWithParent(PATH))('/bin/sh', ['-c', 'exit 37']);
    const child = spawn(executable, args, { stdio: 'ignore' });
    expect(await once(child, 'exit')).toEqual([37, null]);
  });

  test('does not start at all under another parent: this one has died before it could ask for the signal', async () => {
    const { executable, args } = (await dieWithParent(PATH))('/bin/sh', ['-c', 'echo started']);
    const underAnotherShell = await runCommand('/bin/sh', [
      '-c',
      '"$@"; echo "status $?"',
      'sh',
      executable,
      ...args,
    ]);
    expect(underAnotherShell.stdout).toBe('status 1\n');
  });
});

describe('where setpriv cannot do it', () => {
  test('because there is none, the command stays as it is', async () => {
    expect((await dieWithParent(root))('/bin/true', ['x'])).toEqual({ executable: '/bin/true', args: ['x'] });
  });

  test('because it does not know the option, the command stays as it is', async () => {
    await writeProgram(root, 'setpriv', 'echo "setpriv: unrecognized option: pdeathsig" >&2; exit 1');
    expect((await dieWithParent(root))('/bin/true', ['x'])).toEqual({ executable: '/bin/true', args: ['x'] });
  });
});
