import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gaussianCutpoints, type Cutpoints } from '../../src/random/cutpoints.ts';
import { lawTable } from '../../src/random/law-table.ts';
import { NoiseKernel } from '../../src/random/noise-kernel.ts';
import { noiseOfDraw, referenceDraw, referenceNoise } from '../../src/random/reference.ts';
import { noiseRows } from '../support/noise-rows.ts';

const WORD = 2 ** 32;
const ONE = 2n ** 96n;

const word = fc.integer({ min: 0, max: WORD - 1 });
const stream = fc.record({ key0: word, key1: word, stream: word });
const purpose = fc.oneof(
  fc.constantFrom('selection', 'estimation', 'prediction'),
  fc.integer({ min: 0, max: 255 }),
);
// as many just below a multiple of 2³² as anywhere else
const firstSample = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 48 - 100 }),
  fc.integer({ min: 0, max: 1000 }),
  fc
    .tuple(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 1, max: 8 }))
    .map(([high, before]) => high * WORD - before),
);
const sigma = fc.oneof(fc.constantFrom(0.12, 0.25, 0.5, 1), fc.double({ min: 0.001, max: 0.3, noNaN: true }));

/** Laws with few and many cutpoints, bunched or not, cells of no probability included. */
const anyLaw: fc.Arbitrary<Cutpoints> = fc
  .record({
    inner: fc.array(fc.bigInt({ min: 0n, max: ONE - 1n }), { minLength: 0, maxLength: 60 }),
    bunch: fc.bigInt({ min: 0n, max: ONE - 1n }),
    bunched: fc.array(fc.bigInt({ min: 0n, max: 2n ** 81n }), { minLength: 0, maxLength: 20 }),
    kmin: fc.integer({ min: -8191, max: 8000 }),
  })
  .map(({ inner, bunch, bunched, kmin }) => {
    const all = [...inner, ...bunched.map((step) => (bunch + step) % ONE)];
    const sorted = all.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return { kmin, kmax: kmin + sorted.length, values: [0n, ...sorted, ONE] };
  });

describe('the kernel', () => {
  it('draws what the plain reference draws: any law, shape, stream, purpose and sample', () => {
    fc.assert(
      fc.property(
        fc.oneof(sigma.map(gaussianCutpoints), anyLaw),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 10 }),
        stream,
        purpose,
        firstSample,
        fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
        (cutpoints, elements, rows, stream, purpose, firstSample, places) => {
          const noise = noiseRows({ cutpoints, elements, rows, stream, purpose, firstSample });
          // the last element of every row, where the last group may be short, and some others
          const chosen = places.map((place) => place % noise.length);
          for (let row = 1; row <= rows; row++) chosen.push(row * elements - 1);
          for (const at of chosen) {
            const sample = firstSample + Math.floor(at / elements);
            expect(noise[at]).toBe(referenceNoise(cutpoints, stream, purpose, sample, at % elements));
          }
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it('draws what the plain reference draws across passes: rows of many thousand elements', () => {
    fc.assert(
      fc.property(
        sigma,
        fc.integer({ min: 2040, max: 20_000 }),
        stream,
        firstSample,
        fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
        (sigma, elements, stream, firstSample, places) => {
          const cutpoints = gaussianCutpoints(sigma);
          const noise = noiseRows({ cutpoints, elements, rows: 1, stream, firstSample });
          const edges = [2046, 2047, 2048, 2049, elements - 2, elements - 1];
          const chosen = [...places.map((place) => place % elements), ...edges];
          for (const element of chosen.filter((each) => each < elements)) {
            const expected = referenceNoise(cutpoints, stream, 'estimation', firstSample, element);
            expect(noise[element]).toBe(expected);
          }
        },
      ),
      { seed: 2, numRuns: 60 },
    );
  });

  it('decides like the reference whatever lies in one first digit', () => {
    // cutpoints are placed around actual draws, so that digits 1 to 5 are what decides
    fc.assert(
      fc.property(
        stream,
        fc.array(fc.tuple(fc.nat({ max: 99 }), fc.integer({ min: 0, max: 95 }), fc.boolean()), {
          minLength: 1,
          maxLength: 40,
        }),
        (stream, near) => {
          const draws = Array.from({ length: 100 }, (_, element) =>
            referenceDraw(stream, 'estimation', 0, element),
          );
          const inner = near
            .map(
              ([element, bit, below]) => draws[element]! + (below ? -(2n ** BigInt(bit)) : 2n ** BigInt(bit)),
            )
            .filter((cutpoint) => cutpoint > 0n && cutpoint < ONE)
            .toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
          const cutpoints = { kmin: 0, kmax: inner.length, values: [0n, ...inner, ONE] };
          const noise = noiseRows({ cutpoints, elements: 100, rows: 1, stream });
          expect([...noise]).toEqual(draws.map((draw) => noiseOfDraw(cutpoints, draw)));
        },
      ),
      { seed: 3, numRuns: 100 },
    );
  });

  it('gives a batch that does not depend on how it is cut into calls', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
        stream,
        purpose,
        firstSample,
        fc.uint8Array({ minLength: 100, maxLength: 100 }),
        (elements, parts, stream, purpose, firstSample, pixels) => {
          const rows = parts.reduce((sum, part) => sum + part, 0);
          const image = pixels.slice(0, elements);
          const [whole, cut] = [0, 1].map(() => NoiseKernel.create({ elements, rows })) as [
            NoiseKernel,
            NoiseKernel,
          ];
          for (const kernel of [whole, cut]) kernel.setLaw(gaussianCutpoints(0.5));
          whole.fill({ row: 0, rows, image, stream, purpose, firstSample });
          // last part first: the order of calls does not matter either
          let row = rows;
          for (const part of parts) {
            row -= part;
            cut.fill({ row, rows: part, image, stream, purpose, firstSample: firstSample + row });
          }
          expect(cut.batch).toEqual(whole.batch);
        },
      ),
      { seed: 4, numRuns: 100 },
    );
  });
});

describe('the table of a law', () => {
  it('agrees with the definition at every decided digit and bounds it from below at every other', () => {
    fc.assert(
      fc.property(
        anyLaw,
        fc.array(fc.nat({ max: 65535 }), { minLength: 20, maxLength: 20 }),
        (law, digits) => {
          const { firstDigit } = lawTable(law);
          const near = law.values.map((cutpoint) => Number(cutpoint >> 80n)).filter((digit) => digit < 65536);
          for (const digit of [...digits, ...near]) {
            const least = noiseOfDraw(law, BigInt(digit) << 80n);
            const most = noiseOfDraw(law, ((BigInt(digit) + 1n) << 80n) - 1n);
            expect(firstDigit[digit]).toBe(least === most ? least : 16384 + least);
          }
        },
      ),
      { seed: 5, numRuns: 200 },
    );
  });
});
