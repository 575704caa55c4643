import { array, assert, infiniteStream, integer, nat, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignedBatches, packedBatches } from '../../../src/host/batches.ts';
import { cutSegments } from '../../../src/host/cut-segments.ts';

const segment = (index: number, firstSample: number, count: number) =>
  ({ segment: index, input: index, purpose: 'estimation', firstSample, count }) as const;

const segments = array(tuple(nat(1_000), integer({ min: 1, max: 300 })), { maxLength: 6 }).map((all) =>
  all.map(([first, count], index) => segment(index, first, count)),
);

/** The samples that count, by segment, in order. */
function counted(
  batches: Iterable<ReturnType<typeof packedBatches> extends Iterable<infer Batch> ? Batch : never>,
) {
  const found = new Map<number, number[]>();
  for (const batch of batches) {
    for (const { segment: index, firstSample, from, to } of batch) {
      const samples = found.get(index) ?? [];
      found.set(index, samples);
      for (let place = from; place < to; place += 1) samples.push(firstSample + place);
    }
  }
  return found;
}

const expected = (all: readonly ReturnType<typeof segment>[]) =>
  new Map(
    all.map((each) => [each.segment, Array.from({ length: each.count }, (_, at) => each.firstSample + at)]),
  );

describe('the batches of a task', () => {
  it.each([
    ['packed', packedBatches],
    ['aligned', alignedBatches],
  ])('count each sample once, in order, when they are %s', (_, batches) => {
    assert(
      property(segments, integer({ min: 1, max: 64 }), (all, rows) => {
        expect(counted(batches(all, rows))).toEqual(expected(all));
      }),
    );
  });

  it('hold the samples of several inputs where the place does not matter, as many as there is room for', () => {
    const batches = [...packedBatches([segment(0, 0, 5), segment(1, 7, 6)], 4)];
    expect(batches.map((parts) => parts.map(({ segment: index, firstSample, count }) => [index, firstSample, count]))).toEqual([
      [[0, 0, 4]],
      [[0, 4, 1], [1, 7, 3]],
      [[1, 10, 3]],
    ]); // prettier-ignore
  });

  it('are the same rows at the same places for a sample, however its draw is cut, where the place matters', () => {
    assert(
      property(
        integer({ min: 1, max: 500 }),
        integer({ min: 1, max: 64 }),
        infiniteStream(integer({ min: 1, max: 90 })),
        (count, rows, cuts) => {
          for (let first = 0; first < count;) {
            const part = Math.min(cuts.next().value as number, count - first);
            for (const [batch, ...others] of alignedBatches([segment(0, first, part)], rows)) {
              expect(others).toEqual([]);
              expect(batch!.firstSample % rows).toBe(0);
              expect(batch!.count).toBe(rows);
            }
            first += part;
          }
        },
      ),
    );
  });
});

describe('tasks of work whose samples have places', () => {
  it('end where a batch ends, or with their segment, and tile the segments', () => {
    assert(
      property(segments, integer({ min: 1, max: 32 }), integer({ min: 1, max: 8 }), (all, rows, batches) => {
        const samples = new Map<number, number[]>();
        for (const group of cutSegments(all, rows * batches, rows)) {
          expect(group.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(rows * batches);
          for (const { segment: index, firstSample, count } of group) {
            const { firstSample: first, count: total } = all[index]!;
            const end = firstSample + count;
            expect(end % rows === 0 || end === first + total).toBe(true);
            const found = samples.get(index) ?? [];
            samples.set(index, found);
            for (let at = 0; at < count; at += 1) found.push(firstSample + at);
          }
        }
        expect(samples).toEqual(expected(all));
      }),
    );
  });
});
