import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Chunk, gatherDraws, type InputDraws, type Plan, planOf } from '../../../src/jobs/plan.ts';
import { planRound } from '../../support/plan-round.ts';

const draw = fc.record({
  purpose: fc.constantFrom('selection', 'estimation', 'prediction'),
  firstSample: fc.integer({ min: 0, max: 2 ** 40 }),
  count: fc.integer({ min: 0, max: 300 }),
});
/** What inputs ask for: mostly the same, as they do, with gaps where one asks for nothing any more. */
const asked: fc.Arbitrary<InputDraws[]> = fc
  .tuple(
    fc.array(fc.array(draw, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(2), fc.boolean()), { maxLength: 12 }),
  )
  .map(([draws, inputs]) =>
    inputs.flatMap(([which, asks], input) => (asks ? [{ input, draws: draws[which % draws.length]! }] : [])),
  );
const chunkSamples = fc.integer({ min: 1, max: 500 });
const allChunks = (plan: Plan): Chunk[] =>
  Array.from({ length: plan.chunks }, (_, number) => plan.chunk(number));
const total = (chunk: Chunk): number => chunk.reduce((sum, { count }) => sum + count, 0);

describe('the chunks of a plan', () => {
  it('tile the draws: every sample in exactly one segment of one chunk, in order', () => {
    fc.assert(
      fc.property(asked, chunkSamples, (asked, size) => {
        const segments = allChunks(planOf([planRound(asked, size)])).flat();
        for (const { input, draws } of asked) {
          const own = segments.filter((segment) => segment.input === input);
          for (const { purpose, firstSample, count } of draws) {
            let next = firstSample;
            while (next < firstSample + count) {
              const segment = own.shift()!;
              expect(segment).toMatchObject({ input, purpose, firstSample: next });
              next += segment.count;
            }
            expect(next).toBe(firstSample + count);
          }
          expect(own).toEqual([]);
        }
        expect(segments.every(({ count }) => count > 0)).toBe(true);
        const inputs = segments.map(({ input }) => input);
        expect(inputs).toEqual(inputs.toSorted((a, b) => a - b));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('are full, but for the last of each round', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(asked, chunkSamples), { maxLength: 3 }), (rounds) => {
        let before = 0;
        for (const [index, [, size]] of rounds.entries()) {
          const plan = planOf(rounds.slice(0, index + 1).map(([asked, each]) => planRound(asked, each)));
          const sizes = allChunks(plan).slice(before).map(total);
          before = plan.chunks;
          const last = sizes.pop() ?? 1;
          expect(sizes.every((each) => each === size)).toBe(true);
          expect(last).toBeGreaterThan(0);
          expect(last).toBeLessThanOrEqual(size);
        }
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it('are found by input: just those that draw for it, over all rounds', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(asked, chunkSamples), { maxLength: 3 }), (rounds) => {
        const plan = planOf(rounds.map(([asked, size]) => planRound(asked, size)));
        const chunks = allChunks(plan);
        for (let input = 0; input < 14; input += 1) {
          const drawing = [...chunks.keys()].filter((each) =>
            chunks[each]!.some((part) => part.input === input),
          );
          expect(plan.chunksOf(input)).toEqual(drawing);
        }
        for (const [number, chunk] of chunks.entries())
          expect(plan.lastInput(number)).toBe(chunk.at(-1)!.input);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('keep their numbers and what they draw when a round is added', () => {
    fc.assert(
      fc.property(asked, asked, chunkSamples, (first, second, size) => {
        const round = planRound(first, size);
        const before = allChunks(planOf([round]));
        const after = allChunks(planOf([round, planRound(second, size)]));
        expect(after.slice(0, before.length)).toEqual(before);
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  it('are as many as there is work, and a plan of a million is stored in a line', () => {
    const asked = Array.from({ length: 10_000 }, (_, input) => ({
      input,
      draws: [
        { purpose: 'selection' as const, firstSample: 0, count: 100 },
        { purpose: 'estimation' as const, firstSample: 0, count: 99_900 },
      ],
    }));
    const round = planRound(asked, 1_000);
    expect(planOf([round]).chunks).toBe(1_000_000);
    expect(JSON.stringify(round).length).toBeLessThan(300);
    expect(planOf([round]).chunk(999_999)).toEqual([
      { input: 9_999, purpose: 'estimation', firstSample: 98_900, count: 1_000 },
    ]);
  });

  it('are none where nothing is asked for, and there is no other', () => {
    expect(planOf([]).chunks).toBe(0);
    expect(planOf([planRound([], 10)]).chunks).toBe(0);
    const empty = planOf([planRound([{ input: 0, draws: [] }], 10)]);
    expect(empty.chunks).toBe(0);
    expect(empty.chunksOf(0)).toEqual([]);
    expect(() => empty.chunk(0)).toThrow('there is no chunk 0');
  });

  it('are not of a size that would never end', () => {
    for (const size of [0, -1, 0.5, NaN, Infinity])
      expect(() => planRound([], size)).toThrow(`chunkSamples must be a positive integer, not ${size}`);
  });

  it('are only of rounds whose inputs were gathered in order', () => {
    const draws = gatherDraws();
    draws.add({ input: 3, draws: [] });
    for (const input of [3, 2, 0])
      expect(() => draws.add({ input, draws: [] })).toThrow(`input ${input} cannot come after input 3`);
  });
});
