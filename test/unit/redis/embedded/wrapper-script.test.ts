import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wrapperScript } from '../../../../src/redis/embedded/wrapper-script.ts';

const run = promisify(execFile);
let directory: string;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'smoothcert-test-')), 'with a space & "quotes"');
  await mkdir(join(directory, 'bin'), { recursive: true });
  await writeFile(
    join(directory, 'bin', 'program'),
    '#!/bin/sh\nprintf "%s|" "$$" "$LD_LIBRARY_PATH" "$@"\n',
  );
  await chmod(join(directory, 'bin', 'program'), 0o755);
});
afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }));

async function answer(
  libraries: string[],
  environment: Record<string, string>,
): Promise<(string | number)[]> {
  const wrapper = join(directory, 'wrapper');
  await writeFile(wrapper, wrapperScript('bin/program', libraries));
  await chmod(wrapper, 0o755);
  const promise = run(wrapper, ['--save', '', 'two words'], { env: environment });
  const { stdout } = await promise;
  const [pid, ...rest] = stdout.split('|');
  return [Number(pid) === promise.child.pid ? 'same process' : 'another process', ...rest];
}

test('becomes the program, in the same process, with the same arguments and its own libraries first', async () => {
  expect(await answer(['lib/a', 'lib/b'], { LD_LIBRARY_PATH: '/mine' })).toEqual([
    'same process',
    `${directory}/lib/a:${directory}/lib/b:/mine`,
    '--save',
    '',
    'two words',
    '',
  ]);
});

test('leaves no empty entry, which would mean the current directory', async () => {
  expect((await answer(['lib/a'], {}))[1]).toBe(`${directory}/lib/a`);
});

test('leaves the library path alone when there are no libraries', async () => {
  expect((await answer([], { LD_LIBRARY_PATH: '/mine' }))[1]).toBe('/mine');
});
