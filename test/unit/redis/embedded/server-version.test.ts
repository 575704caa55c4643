import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseServerVersion, probeServer } from '../../../../src/redis/embedded/server-version.ts';

describe('the version of a server', () => {
  test.each([
    // Printed by Debian's packages.
    ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0', '7.0.15'],
    ['Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=6d95e1af3a2c082a', '6.0.16'],
    ['Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=3ba1a1ed1b6e5e2f', '8.0.1'],
  ])('is read from "%s"', (output, version) => {
    expect(parseServerVersion(output)).toBe(version);
  });

  test.each(['', 'redis-cli 7.0.15', 'Redis server version unknown', 'v=7.0.15'])(
    'is not read from "%s"',
    (output) => {
      expect(parseServerVersion(output)).toBeNull();
    },
  );
});

describe('probing a program', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'smoothcert-test-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function program(body: string): Promise<string> {
    const path = join(directory, 'redis-server');
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
    return path;
  }

  test('one that is new enough is usable', async () => {
    const path = await program('echo "Redis server v=7.2.4 sha=0 malloc=libc bits=64 build=0"');
    expect(await probeServer(path)).toEqual({ usable: true, version: '7.2.4' });
  });

  test('one that is too old is refused with its version', async () => {
    const path = await program('echo "Redis server v=5.0.3 sha=0 malloc=libc bits=64 build=0"');
    expect(await probeServer(path)).toEqual({ usable: false, reason: 'is 5.0.3, older than 6.2' });
  });

  test('one that fails is refused with what it said last', async () => {
    const path = await program('echo first >&2; echo "cannot open libfoo.so.1" >&2; exit 127');
    expect(await probeServer(path)).toEqual({
      usable: false,
      reason: 'does not run (cannot open libfoo.so.1)',
    });
  });

  test('one that is no server is refused', async () => {
    const path = await program('echo hello');
    expect(await probeServer(path)).toEqual({ usable: false, reason: 'does not state a server version' });
  });

  test('one that does not exist is refused', async () => {
    expect(await probeServer(join(directory, 'absent'))).toMatchObject({ usable: false });
  });
});
