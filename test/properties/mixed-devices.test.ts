import { describe, expect, it } from 'vitest';
import { certifyProcedure, leastCertifyingN } from '../../src/smoothing/procedures/certify.ts';
import { type BoundForm, PARAMETER_LIMITS } from '../../src/smoothing/parameters.ts';
import { predictProcedure } from '../../src/smoothing/procedures/predict.ts';
import type { Procedure, Tally } from '../../src/smoothing/procedure.ts';
import { exactDouble } from '../support/exact-double.ts';

// Devices that round differently give votes whose probabilities differ from sample to sample. Here every way to mix them is
// tried: all multisets of n samples whose probabilities are multiples of 1/d. Probabilities of votes are then integers over
// d^n, all below 2^53, so that sums of them are exact.

/** A sample's chances of voting for each class, in units of 1/d. */
type Chances = readonly number[];

/** All ways to share `units` among `classes`. */
function shares(units: number, classes: number): number[][] {
  if (classes === 1) return [[units]];
  return Array.from({ length: units + 1 }, (_, first) => first).flatMap((first) =>
    shares(units - first, classes - 1).map((rest) => [first, ...rest]),
  );
}

/** All multisets of `size` of the kinds. */
function* multisets<Kind>(kinds: readonly Kind[], size: number, from = 0): Generator<Kind[]> {
  if (size === 0) yield [];
  else {
    for (let kind = from; kind < kinds.length; kind += 1) {
      for (const rest of multisets(kinds, size - 1, kind)) yield [kinds[kind]!, ...rest];
    }
  }
}

/** The law of the votes of independent samples, by the votes as text, in units of d^-n. */
function lawOf(samples: readonly Chances[], classes: number): Map<string, number> {
  let law = new Map([[Array.from({ length: classes }).fill(0).join(), 1]]);
  for (const chances of samples) {
    const next = new Map<string, number>();
    for (const [text, weight] of law) {
      const votes = text.split(',').map(Number);
      for (const [index, chance] of chances.entries()) {
        if (chance === 0) continue;
        const key = votes.map((count, each) => (each === index ? count + 1 : count)).join();
        next.set(key, (next.get(key) ?? 0) + weight * chance);
      }
    }
    law = next;
  }
  return law;
}

function decided<Result>(procedure: Procedure<Result>, tally: Tally): Result {
  const step = procedure.next(tally);
  if (step.kind !== 'done') throw new Error('the procedure has not decided');
  return step.result;
}

/** A bound less sum/(n d), the mean probability: exactly, in some unit. */
const excess = (bound: number, sum: number, nd: number): bigint =>
  exactDouble(bound) * BigInt(nd) - exactDouble(1) * BigInt(sum);

const MOST_ALPHA = PARAMETER_LIMITS.alpha.maximum;
/** Halves are exact; failures of the certificate are compared with them without rounding. */
const ALPHAS = [MOST_ALPHA, 2 ** -3, 2 ** -5];

/** How often a certificate of class 0 is wrong about the mean probabilities, in units of d^-n, at the worst mixture. */
function worstCertificate(n: number, d: number, classes: number, alpha: number, bound: BoundForm) {
  const procedure = certifyProcedure({ sigma: 1, n0: 1, n, alpha, bound }, 0);
  const selection = [1, ...Array.from<number>({ length: classes - 1 }).fill(0)];
  const results = new Map(
    shares(n, classes).map((estimation) => [
      estimation.join(),
      decided(procedure, { selection, estimation }),
    ]),
  );
  let worst = 0;
  let certified = 0;
  for (const samples of multisets(shares(d, classes), n)) {
    const sums = selection.map((_, index) => samples.reduce((sum, chances) => sum + chances[index]!, 0));
    const rival = Math.max(...sums.slice(1));
    let wrong = 0;
    for (const [votes, weight] of lawOf(samples, classes)) {
      const { outcome, pALowerBound, pBUpperBound } = results.get(votes)!;
      if (outcome !== 'certified') continue;
      certified += weight;
      const rivalAbove = pBUpperBound !== null && excess(pBUpperBound, rival, n * d) < 0n;
      if (excess(pALowerBound, sums[0]!, n * d) > 0n || rivalAbove) wrong += weight;
    }
    worst = Math.max(worst, wrong);
  }
  expect(certified > 0).toBe(n >= leastCertifyingN(alpha, bound));
  return worst;
}

describe('votes of devices that round differently', () => {
  it('are certified wrongly with at most alpha, whatever the mixture: one-sided', () => {
    for (const [n, d] of [
      [3, 12],
      [4, 10],
      [6, 6],
      [8, 4],
    ] as const) {
      for (const alpha of ALPHAS) {
        const worst = worstCertificate(n, d, 2, alpha, 'pA');
        expect(worst, `n = ${n}, alpha = ${alpha}`).toBeLessThanOrEqual(alpha * d ** n);
      }
    }
  });

  it('are certified wrongly with at most alpha, whatever the mixture: two-sided', () => {
    for (const [n, d] of [
      [4, 6],
      [5, 4],
      [7, 3],
    ] as const) {
      const worst = worstCertificate(n, d, 3, MOST_ALPHA, 'pA-pB');
      expect(worst, `n = ${n}`).toBeLessThanOrEqual(MOST_ALPHA * d ** n);
    }
  });

  it('have no heavier tail than the binomial of their mean wherever that tail is below the largest alpha', () => {
    let tight = 0;
    for (const [n, d] of [
      [2, 24],
      [3, 16],
      [5, 8],
      [8, 4],
    ] as const) {
      for (const samples of multisets(shares(d, 2), n)) {
        const sum = samples.reduce((total, [chance]) => total + chance!, 0);
        const law = lawOf(samples, 2);
        // Two votes or more: no certificate has fewer. All in units of (n d)^-n.
        for (let k = 2; k <= n; k += 1) {
          let tail = 0n;
          for (const [votes, weight] of law) if (Number(votes.split(',')[0]) >= k) tail += BigInt(weight);
          let binomial = 0n;
          for (let j = k; j <= n; j += 1) {
            binomial += choose(n, j) * BigInt(sum) ** BigInt(j) * BigInt(n * d - sum) ** BigInt(n - j);
          }
          const whole = BigInt(n * d) ** BigInt(n);
          if (4n * binomial >= whole) continue;
          // The condition of Hoeffding's theorem, k >= n p + 1, follows from the tail alone.
          expect(k * d, `${JSON.stringify(samples)} ${k}`).toBeGreaterThanOrEqual(sum + d);
          expect(tail * BigInt(n) ** BigInt(n) <= binomial, `${JSON.stringify(samples)} ${k}`).toBe(true);
          tight += tail * BigInt(n) ** BigInt(n) === binomial && tail > 0n ? 1 : 0;
        }
      }
    }
    expect(tight).toBeGreaterThan(0);
  });

  it('could be certified wrongly more often than alpha if alpha were one half', () => {
    expect(MOST_ALPHA).toBeLessThanOrEqual(0.25);
    const procedure = certifyProcedure({ sigma: 1, n0: 1, n: 4, alpha: 0.5, bound: 'pA' }, 0);
    const { outcome, pALowerBound } = decided(procedure, { selection: [1, 0], estimation: [3, 1] });
    const mean = (3 * 0.8133) / 4;
    expect(outcome).toBe('certified');
    expect(pALowerBound).toBeGreaterThan(mean);
    // Three votes in four come with .8133 ^ 3.
    expect(0.8133 ** 3).toBeGreaterThan(0.53);
  });

  it('are predicted wrongly with at most alpha, whatever the mixture of three classes', () => {
    for (const [n, d] of [
      [4, 4],
      [5, 3],
      [6, 2],
      [7, 2],
    ] as const) {
      for (const alpha of ALPHAS) {
        const procedure = predictProcedure({ sigma: 1, n, alpha }, 0, 'all-others');
        const results = new Map(
          shares(n, 3).map((prediction) => [prediction.join(), decided(procedure, { prediction })]),
        );
        let worst = 0;
        for (const samples of multisets(shares(d, 3), n)) {
          const sums = [0, 1, 2].map((index) => samples.reduce((sum, chances) => sum + chances[index]!, 0));
          // Of several classes with the largest mean only the first is taken for right.
          const right = sums.indexOf(Math.max(...sums));
          let wrong = 0;
          for (const [votes, weight] of lawOf(samples, 3)) {
            const { outcome, topClass } = results.get(votes)!;
            if (outcome === 'predicted' && topClass !== right) wrong += weight;
          }
          worst = Math.max(worst, wrong);
        }
        expect(worst, `n = ${n}, alpha = ${alpha}`).toBeLessThanOrEqual(alpha * d ** n);
        expect(worst > 0).toBe(2 ** (1 - n) < alpha);
      }
    }
  });
});

function choose(n: number, k: number): bigint {
  let value = 1n;
  for (let i = 1; i <= k; i += 1) value = (value * BigInt(n - k + i)) / BigInt(i);
  return value;
}
