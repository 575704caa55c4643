import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certifyProcedure, type CertifyResult } from '../../src/smoothing/procedures/certify.ts';
import { loosenLower, loosenUpper } from '../../src/smoothing/loosen-bound.ts';
import type { BoundForm } from '../../src/smoothing/parameters.ts';
import { predictProcedure } from '../../src/smoothing/procedures/predict.ts';
import type { Procedure } from '../../src/smoothing/procedure.ts';
import { totalVotes, type Votes } from '../../src/smoothing/votes.ts';
import { radiusFromVotes } from '../../src/smoothing/votes-to-radius.ts';
import { radiusCeiling } from '../../src/statistics/radius.ts';
import { exactDouble } from '../support/exact-double.ts';

const probability = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(0, 1, Number.MIN_VALUE, 0.5, 1 - 2 ** -53, 2 ** -1022),
);
const slack = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.integer({ min: 1, max: 1074 }).map((exponent) => 2 ** -exponent),
  fc.constant(0),
);
const alpha = fc.constantFrom(0.3, 0.05, 0.001, 1e-9);
const bound = fc.constantFrom<BoundForm>('pA', 'pA-pB');
const votes = fc
  .array(fc.integer({ min: 0, max: 2_000 }), { minLength: 2, maxLength: 6 })
  .filter((each) => totalVotes(each) > 0);
const ONE = exactDouble(1);

function done<Result>(procedure: Procedure<Result>, tally: Parameters<Procedure<Result>['next']>[0]): Result {
  const step = procedure.next(tally);
  if (step.kind !== 'done') throw new Error('the procedure has not decided');
  return step.result;
}

interface Question {
  selection: Votes;
  estimation: Votes;
  alpha: number;
  bound: BoundForm;
  totalVariation?: number;
}

function certify({ selection, estimation, totalVariation = 0, ...rest }: Question): CertifyResult {
  const parameters = { sigma: 0.5, n0: totalVotes(selection), n: totalVotes(estimation), ...rest };
  return done(certifyProcedure(parameters, totalVariation), { selection, estimation });
}

describe('loosening a bound', () => {
  it('is never on the wrong side of the exact sum, and never two steps beyond it', () => {
    fc.assert(
      fc.property(probability, probability, slack, (p, q, slack) => {
        const [exactP, exactQ, exactSlack] = [p, q, slack].map(exactDouble) as [bigint, bigint, bigint];
        const lower = loosenLower({ p, q }, slack);
        const upper = loosenUpper({ p: q, q: p }, slack);
        expect(upper).toEqual({ p: lower.q, q: lower.p });
        const down = exactP > exactSlack ? exactP - exactSlack : 0n;
        const up = exactQ + exactSlack < ONE ? exactQ + exactSlack : ONE;
        expect(exactDouble(lower.p) <= down).toBe(true);
        expect(exactDouble(lower.q) >= up).toBe(true);
        expect(lower.p).toBeGreaterThanOrEqual(0);
        expect(lower.q).toBeLessThanOrEqual(1);
        // A double's spacing is at most 2^-52 of it, and 2^-1074 at the very bottom.
        expect(down - exactDouble(lower.p) <= (down >> 51n) + 2n).toBe(true);
        expect(exactDouble(lower.q) - up <= (up >> 51n) + 2n).toBe(true);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  it('leaves it as it is where there is nothing to take off', () => {
    fc.assert(
      fc.property(probability, probability, (p, q) => {
        expect(loosenLower({ p, q }, 0)).toEqual({ p, q });
        expect(loosenUpper({ p, q }, 0)).toEqual({ p, q });
      }),
      { seed: 2, numRuns: 200 },
    );
  });
});

describe('CERTIFY', () => {
  it('depends on the selection through its class only', () => {
    fc.assert(
      fc.property(votes, votes, fc.nat(), alpha, bound, (estimation, other, at, alpha, bound) => {
        const chosen = at % estimation.length;
        const clear = estimation.map((_, index) => (index === chosen ? 1 : 0));
        const mixed = estimation.map((_, index) =>
          index === chosen ? totalVotes(other) + 1 : (other[index] ?? 0),
        );
        const { selectionVotes: _a, ...first } = certify({ selection: clear, estimation, alpha, bound });
        const { selectionVotes: _b, ...second } = certify({ selection: mixed, estimation, alpha, bound });
        expect(second).toEqual(first);
        expect(first.selectedClass).toBe(chosen);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('certifies a positive radius under the ceiling, or abstains with none', () => {
    fc.assert(
      fc.property(votes, alpha, bound, slack, (estimation, alpha, bound, totalVariation) => {
        const result = certify({ selection: estimation, estimation, alpha, bound, totalVariation });
        const n = totalVotes(estimation);
        const frequency = result.topCount / n;
        expect(result.pALowerBound).toBeLessThanOrEqual(frequency);
        expect(result.pALowerBound).toBeGreaterThanOrEqual(0);
        expect(result.outcome === 'certified').toBe(result.certifiedRadius !== null);
        expect(result.pBUpperBound === null).toBe(bound === 'pA');
        const radius = result.certifiedRadius ?? Number.MIN_VALUE;
        expect(radius).toBeGreaterThan(0);
        const ceiling = radiusCeiling(0.5, n, alpha) * (1 + 1e-13);
        expect(radius).toBeLessThanOrEqual(Math.max(ceiling, Number.MIN_VALUE));
        const abstainsBelowHalf =
          bound === 'pA-pB' || result.pALowerBound > 0.5 === (result.outcome === 'certified');
        expect(abstainsBelowHalf).toBe(true);
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  it('never claims less for a vote more, nor more for a larger total variation', () => {
    const count = fc.integer({ min: 1, max: 5_000 });
    fc.assert(
      fc.property(count, count, alpha, slack, (top, rest, alpha, totalVariation) => {
        const n = top + rest;
        const question = { sigma: 0.25, n, alpha, topCount: top, runnerUpCount: null };
        const fewer = radiusFromVotes(question, 0);
        const more = radiusFromVotes({ ...question, topCount: top + 1 }, 0);
        expect(more.pALowerBound).toBeGreaterThanOrEqual(fewer.pALowerBound);
        expect(more.certifiedRadius ?? 0).toBeGreaterThanOrEqual((fewer.certifiedRadius ?? 0) * (1 - 1e-14));
        const varied = radiusFromVotes(question, totalVariation);
        expect(varied.pALowerBound).toBeLessThanOrEqual(fewer.pALowerBound);
        // The quantile is monotone up to its accuracy, 1e-14; every radius is below the exact one all the same.
        expect(varied.certifiedRadius ?? 0).toBeLessThanOrEqual((fewer.certifiedRadius ?? 0) * (1 + 1e-14));
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it('claims with both bounds no less than with one bound at half of alpha', () => {
    fc.assert(
      fc.property(votes, alpha, (estimation, alpha) => {
        const both = certify({ selection: estimation, estimation, alpha, bound: 'pA-pB' });
        const one = certify({ selection: estimation, estimation, alpha: alpha / 2, bound: 'pA' });
        expect(both.certifiedRadius ?? 0).toBeGreaterThanOrEqual(one.certifiedRadius ?? 0);
        expect(both.pALowerBound).toBe(one.pALowerBound);
      }),
      { seed: 6, numRuns: 300 },
    );
  });

  it('scales with sigma', () => {
    fc.assert(
      fc.property(votes, fc.double({ min: 0.01, max: 1.4, noNaN: true }), (estimation, sigma) => {
        const counts = { n: totalVotes(estimation), alpha: 0.01, topCount: Math.max(...estimation) };
        const radius = (sigma: number): number =>
          radiusFromVotes({ ...counts, sigma, runnerUpCount: null }, 0).certifiedRadius ?? 0;
        expect(Math.abs(radius(2 * sigma) - 2 * radius(sigma))).toBeLessThanOrEqual(1e-14 * sigma);
      }),
      { seed: 7, numRuns: 200 },
    );
  });
});

describe('PREDICT', () => {
  it('depends on the top two counts only, and predicts nothing on a tie', () => {
    fc.assert(
      fc.property(votes, alpha, fc.nat(), (counts, alpha, turn) => {
        const n = totalVotes(counts);
        const predict = (prediction: Votes) =>
          done(predictProcedure({ sigma: 1, n, alpha }, 0, 'runner-up'), { prediction });
        const result = predict(counts);
        const sorted = counts.toSorted((a, b) => b - a);
        expect([result.topCount, result.runnerUpCount]).toEqual(sorted.slice(0, 2));
        const at = turn % counts.length;
        const turned = predict([...counts.slice(at), ...counts.slice(0, at)]);
        expect([turned.pValue, turned.outcome]).toEqual([result.pValue, result.outcome]);
        expect(result.outcome === 'predicted' && sorted[0] === sorted[1]).toBe(false);
        expect(counts[result.topClass]).toBe(sorted[0]);
      }),
      { seed: 8, numRuns: 300 },
    );
  });
});
