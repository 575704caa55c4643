import { describe, expect, it } from 'vitest';
import { NonFiniteScoreError } from '../../../src/engines/non-finite-score-error.ts';
import type { EngineSession } from '../../../src/engines/engine.ts';
import { probeRows } from '../../../src/engines/row-probe.ts';
import { imageInput, manifestOf } from '../../support/model-folder.ts';

const WIDTH = 6;
const MANIFEST = manifestOf('network', { files: {}, input: imageInput(2, 3), classes: 2 });

/** A network of two scores, `mean` and 1 - `mean` of a row, to which `more` is added by the batch, the place and the call. */
function network(
  more: (batch: Float32Array, place: number, call: number) => number = () => 0,
  fixedBatch: number | null = null,
): EngineSession {
  let calls = 0;
  return {
    identity: { name: 'plain', version: '1', provider: 'cpu', precision: 'fp32' },
    fixedBatch,
    softmax: null,
    async scores(batch, rows) {
      calls += 1;
      const values = batch.subarray(0, rows * WIDTH);
      return Float32Array.from({ length: 2 * rows }, (_, index) => {
        const place = index >> 1;
        const row = values.subarray(place * WIDTH, (place + 1) * WIDTH);
        const mean = row.reduce((sum, each) => sum + each, 0) / WIDTH;
        return (index % 2 === 0 ? mean : 1 - mean) + more(values, place, calls);
      });
    },
    close: async () => undefined,
  };
}

const largest = (batch: Float32Array): number => batch.reduce((most, each) => Math.max(most, each), 0);
const rowsOf = (batch: Float32Array): number => batch.length / WIDTH;

describe('the probe of a network', () => {
  it('that computes each row by itself finds the same bits everywhere', async () => {
    expect(await probeRows(network(), MANIFEST)).toEqual({ kind: 'exact' });
    for (const fixed of [1, 2, 5, 32]) {
      expect(
        await probeRows(
          network(() => 0, fixed),
          MANIFEST,
        ),
      ).toEqual({ kind: 'exact' });
    }
  });

  it('finds rounding by place or by size, which is no mixing', async () => {
    expect(
      await probeRows(
        network((_, place) => (place % 3) * 2 ** -23),
        MANIFEST,
      ),
    ).toEqual({ kind: 'rounded' });
    expect(
      await probeRows(
        network((batch) => (rowsOf(batch) > 16 ? 2 ** -23 : 0)),
        MANIFEST,
      ),
    ).toEqual({
      kind: 'rounded',
    });
    expect(
      await probeRows(
        network((_, place) => place * 2 ** -23, 4),
        MANIFEST,
      ),
    ).toEqual({ kind: 'rounded' });
  });

  it.each<[string, (batch: Float32Array, place: number) => number]>([
    [
      'by the largest value of the batch, which images alone never show',
      (batch) => (largest(batch) > 50 ? 1 : 0),
    ],
    [
      'by a mean over the batch that weighs 10^-7',
      (batch) => 1e-7 * (batch.reduce((sum, each) => sum + each, 0) / batch.length),
    ],
    ['by the row before it', (batch, place) => (place > 0 ? batch[(place - 1) * WIDTH]! : 0)],
    ['by the first row', (batch) => batch[0]!],
    ['by the last row', (batch) => batch.at(-1)!],
    ['by a scale for the whole batch', (batch) => Math.round(127 / largest(batch)) / 127],
  ])('finds mixing %s', async (_, more) => {
    for (const fixed of [null, 2, 4, 7]) {
      const { kind } = await probeRows(network(more, fixed), MANIFEST);
      expect(['mixed', 'unsteady']).toContain(kind);
    }
  });

  it('finds scores that depend on the place or on the size by more than rounding explains', async () => {
    const byPlace = await probeRows(
      network((_, place) => 0.01 * place),
      MANIFEST,
    );
    expect(byPlace).toEqual({
      kind: 'mixed',
      how: expect.stringContaining('at another place of a batch or in a batch of another size') as string,
    });
    expect(
      (
        await probeRows(
          network((_, place) => 0.01 * place, 4),
          MANIFEST,
        )
      ).kind,
    ).toBe('mixed');
    expect(
      (
        await probeRows(
          network((batch) => 0.01 * rowsOf(batch)),
          MANIFEST,
        )
      ).kind,
    ).toBe('mixed');
  });

  it('calls rounding that comes with other rows, or from call to call, unsteady: it may be weak mixing', async () => {
    const byCompanions = network((batch) => (batch.at(-1)! > 2 ? 2 ** -23 : 0));
    expect(await probeRows(byCompanions, MANIFEST)).toEqual({
      kind: 'unsteady',
      how: expect.stringContaining(
        'when other rows are in its batch, by as little as rounding does',
      ) as string,
    });
    expect(
      (
        await probeRows(
          network((_, __, call) => (call > 20 ? 2 ** -23 : 0)),
          MANIFEST,
        )
      ).kind,
    ).toBe('unsteady');
  });

  it('finds a state that goes from call to call', async () => {
    const { kind, ...rest } = await probeRows(
      network((_, __, call) => 0.01 * call, 1),
      MANIFEST,
    );
    expect(kind).toBe('mixed');
    expect(rest).toEqual({ how: expect.stringContaining('it keeps a state') as string });
  });

  it('refuses to judge a network without finite scores', async () => {
    await expect(
      probeRows(
        network(() => NaN),
        MANIFEST,
      ),
    ).rejects.toThrow(NonFiniteScoreError);
  });

  it('takes scores that are not finite beside other rows for mixing', async () => {
    expect(
      (
        await probeRows(
          network((batch) => (largest(batch) > 50 ? NaN : 0)),
          MANIFEST,
        )
      ).kind,
    ).toBe('mixed');
  });

  it('allows what a nudge of the pixels does where a network magnifies it', async () => {
    // A step between two neighbours in float32, of another height by place: rounding before it would do the same.
    const steep = (by: number) =>
      network((batch, place) => {
        const row = batch.subarray(place * WIDTH, (place + 1) * WIDTH);
        return 4096 * row[0]! + (place > 0 ? by : 0);
      });
    expect((await probeRows(steep(0), MANIFEST)).kind).toBe('exact');
    expect((await probeRows(steep(0.2), MANIFEST)).kind).toBe('rounded');
  });
});
