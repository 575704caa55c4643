import { tmpdir } from 'node:os';
import { realpathSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCommand } from '../../src/run-command.ts';

const shell = (script: string, options = {}) => runCommand('/bin/sh', ['-c', script], options);

test('a command that succeeds gives its output and no fault, whatever it said on standard error', async () => {
  expect(await shell('echo out; echo warning >&2')).toEqual({ ok: true, stdout: 'out\n', fault: '' });
});

test('a command that fails gives the last line that it said', async () => {
  expect(await shell('echo out; printf "first\\nlast\\n\\n" >&2; exit 3')).toEqual({
    ok: false,
    stdout: 'out\n',
    fault: 'last',
  });
});

test('a command that fails without a word still has a fault', async () => {
  const result = await shell('exit 3');
  expect(result.ok).toBe(false);
  expect(result.fault).toContain('Command failed');
});

test('a command that does not exist fails, and nothing is thrown', async () => {
  const result = await runCommand('/nowhere/program', []);
  expect(result).toMatchObject({ ok: false, stdout: '' });
  expect(result.fault).toContain('ENOENT');
});

test('a command that runs past its limit is killed, even if it ignores signals', async () => {
  const result = await shell('trap "" TERM; exec sleep 60', { timeoutMs: 100 });
  expect(result).toMatchObject({ ok: false, fault: 'it took too long' });
});

test('a command runs in the directory that it is given', async () => {
  const directory = realpathSync(tmpdir());
  expect(await shell('pwd', { directory })).toMatchObject({ stdout: `${directory}\n` });
});

test('arguments reach the command as they are, without a shell', async () => {
  const args = ['a b', '$HOME', '', "'"];
  const script = 'for argument in "$@"; do echo "<$argument>"; done';
  const { stdout } = await runCommand('/bin/sh', ['-c', script, 'sh', ...args]);
  expect(stdout).toBe("<a b>\n<$HOME>\n<>\n<'>\n");
});
