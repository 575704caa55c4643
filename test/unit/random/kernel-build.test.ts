import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { instantiateKernel } from '../../../src/random/kernel-module.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

describe('the compiled kernel', () => {
  it('is byte for byte what its source gives', async () => {
    // ends with status 1, and so rejects, when the committed module differs
    const run = promisify(execFile)(process.execPath, ['scripts/build-kernel.mjs', '--check'], { cwd: root });
    await expect(run).resolves.toMatchObject({ stderr: '' });
  });

  it('keeps its own memory before the first page of the caller', () => {
    const { exports, buffer } = instantiateKernel(1);
    const ends = [
      exports.tableAddress() + 65536 * 2,
      exports.highAddress() + 16384 * 4,
      exports.lowAddress() + 16384 * 8,
      exports.heapAddress(),
    ];
    expect(ends).toEqual([exports.highAddress(), exports.lowAddress(), exports.heapAddress(), 6 * 65536]);
    expect(buffer.byteLength).toBe(7 * 65536);
  });

  it('shares no memory between instances', () => {
    const [first, second] = [instantiateKernel(8), instantiateKernel(8)];
    new Uint8Array(first.buffer, first.exports.heapAddress()).fill(7);
    expect(new Uint8Array(second.buffer, second.exports.heapAddress())[0]).toBe(0);
  });
});
