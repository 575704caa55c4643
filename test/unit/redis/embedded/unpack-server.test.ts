import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dependencyNames, wrapperScript } from '../../../../src/redis/embedded/unpack-server.ts';

const run = promisify(execFile);

describe('the libraries that a package needs', () => {
  test('the libraries of Debian 12 are named without versions, and the parts of an installed service are not', () => {
    // The Depends field of redis-tools 5:7.0.15-1~deb12u10.
    const depends =
      'adduser, libatomic1 (>= 4.8), libc6 (>= 2.34), libjemalloc2 (>= 3.5.0), liblzf1 (>= 1.5), libssl3 (>= 3.0.0), libsystemd0';
    expect(dependencyNames(depends)).toEqual([
      'libatomic1',
      'libc6',
      'libjemalloc2',
      'liblzf1',
      'libssl3',
      'libsystemd0',
    ]);
  });

  test('of alternatives the first is taken, and an architecture is left out', () => {
    expect(dependencyNames('libsystemd0 | libelogind0, liblua5.1-0:any (>= 5.1), lua-cjson\n')).toEqual([
      'libsystemd0',
      'liblua5.1-0',
      'lua-cjson',
    ]);
  });

  test('a package without dependencies has none', () => {
    expect(dependencyNames('')).toEqual([]);
    expect(dependencyNames('\n')).toEqual([]);
  });
});

describe('the script that starts an unpacked server', () => {
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
});
