import { describe, expect, it } from 'vitest';
import { radiusReport, sampleSizeReport } from '../../../src/smoothing/calculators.ts';
import { certifyProcedure } from '../../../src/smoothing/procedures/certify.ts';
import { argumentFault } from '../../support/argument-fault.ts';
import { binomialLaw } from '../../support/binomial-law.ts';
import { statisticsFixture } from '../../support/statistics-fixture.ts';

describe('radiusReport', () => {
  it('says what CERTIFY says of the same votes, in both forms', () => {
    for (const runnerUpCount of [undefined, 700]) {
      const bound = runnerUpCount === undefined ? 'pA' : 'pA-pB';
      const counts = { topCount: 9_000, n: 10_000, alpha: 0.001, sigma: 0.25 };
      const votes = [300, 9_000, 700];
      const step = certifyProcedure({ ...counts, n0: 1, bound }, 0).next({
        selection: [0, 1, 0],
        estimation: votes,
      });
      const { outcome, pALowerBound, pBUpperBound, certifiedRadius } = radiusReport({
        ...counts,
        runnerUpCount,
      });
      expect(step).toMatchObject({ result: { outcome, pALowerBound, pBUpperBound, certifiedRadius } });
    }
  });

  it('says what could be reached: 3.8114565634 sigma, and from 10 unanimous votes on at alpha 0.001', () => {
    const report = radiusReport({ topCount: 0, n: 100_000, alpha: 0.001, sigma: 1 });
    expect(report).toMatchObject({ outcome: 'abstained', certifiedRadius: null, pALowerBound: 0 });
    expect(report.radiusCeiling).toBeCloseTo(3.8114565634, 9);
    const certifying = statisticsFixture('smallest-count').filter(({ z }) => z === 0);
    for (const { n, alpha, k } of certifying)
      expect(radiusReport({ topCount: 0, n, alpha, sigma: 1 }).smallestCertifyingCount).toBe(k);
  });

  it('reaches its ceiling with unanimous votes, in both forms', () => {
    for (const runnerUpCount of [undefined, 0]) {
      const report = radiusReport({ topCount: 500, n: 500, alpha: 0.01, sigma: 0.5, runnerUpCount });
      expect(report.certifiedRadius).toBeGreaterThanOrEqual(report.radiusCeiling);
      expect(report.certifiedRadius! / report.radiusCeiling - 1).toBeLessThan(1e-13);
    }
  });

  it('refuses counts that are none', () => {
    const counts = { topCount: 5, n: 10, alpha: 0.01, sigma: 0.5 };
    expect(argumentFault(() => radiusReport({ ...counts, topCount: 11 })).message).toContain('k');
    expect(argumentFault(() => radiusReport({ ...counts, runnerUpCount: 11 })).message).toContain('k');
    expect(argumentFault(() => radiusReport({ ...counts, sigma: 0 })).message).toContain('sigma');
    expect(argumentFault(() => radiusReport({ ...counts, alpha: 0.6 })).message).toContain('alpha');
  });
});

describe('sampleSizeReport', () => {
  it('gives the least numbers, tried one by one elsewhere', () => {
    for (const { radius, alpha, n } of statisticsFixture('samples-for-radius')) {
      const report = sampleSizeReport({ radius, sigma: 1, alpha });
      expect(report).toEqual({ unanimous: n, planned: null, smallestCount: null });
    }
    for (const { radius, alpha, pA, power, n } of statisticsFixture('samples-for-power').slice(0, 200)) {
      expect(sampleSizeReport({ radius, sigma: 1, alpha, expectedPA: pA, power }).planned).toBe(n);
    }
  });

  it('plans with a power of 0.95 where none is asked for', () => {
    const question = { radius: 0.5, sigma: 1, alpha: 0.001, expectedPA: 0.9 };
    const [found] = statisticsFixture('samples-for-power').filter(
      ({ radius, alpha, pA, power }) => radius === 0.5 && alpha === 0.001 && pA === 0.9 && power === 0.95,
    );
    expect(sampleSizeReport(question).planned).toBe(found!.n);
  });

  it('in the two-sided form plans for whatever the other classes get', () => {
    const question = { radius: 0.25, sigma: 0.5, alpha: 0.01, expectedPA: 0.8, power: 0.9 };
    const planned = sampleSizeReport({ ...question, bound: 'pA-pB' }).planned!;
    expect(planned).toBeGreaterThanOrEqual(sampleSizeReport(question).planned!);
    // The rivals' votes in one class, in two, in four: the power is reached with each, and worst in one.
    const powers = [1, 2, 4].map((rivals) => {
      const law = binomialLaw(planned, 0.8);
      let reached = 0;
      for (let topCount = 0; topCount <= planned; topCount += 1) {
        const runnerUpCount = Math.ceil((planned - topCount) / rivals);
        const { certifiedRadius } = radiusReport({ ...question, n: planned, topCount, runnerUpCount });
        if (certifiedRadius !== null && certifiedRadius >= 0.25) reached += law[topCount]!;
      }
      return reached;
    });
    expect(Math.min(...powers)).toBe(powers[0]);
    expect(powers[0]).toBeGreaterThanOrEqual(0.9);
    // Half of alpha for each bound is what unanimous votes pay, too.
    const halved = sampleSizeReport({ ...question, alpha: 0.005, n: planned });
    expect(sampleSizeReport({ ...question, bound: 'pA-pB', n: planned })).toEqual(halved);
  });

  it('gives the least top count of n samples', () => {
    for (const { n, alpha, z, k } of statisticsFixture('smallest-count'))
      expect(sampleSizeReport({ radius: z / 4, sigma: 0.25, alpha, n }).smallestCount).toBe(k);
  });
});
