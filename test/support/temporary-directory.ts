import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** Gives the enclosing suite an empty folder of its own, deleted after its last test. */
export function useTemporaryDirectory(): (...parts: string[]) => string {
  let directory: string | undefined;
  beforeAll(async () => {
    // Short, since sockets lie below.
    directory = await mkdtemp(join(await realpath(tmpdir()), 't-'));
  });
  afterAll(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });
  return (...parts) => {
    if (directory === undefined) throw new Error('the folder exists only while the tests run');
    return join(directory, ...parts);
  };
}
