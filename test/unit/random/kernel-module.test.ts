import { describe, expect, it } from 'vitest';
import { instantiateKernel } from '../../../src/random/kernel-module.ts';

describe('the compiled kernel', () => {
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
