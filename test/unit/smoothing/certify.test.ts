import { describe, expect, it } from 'vitest';
import type { CertificateOrigin } from '../../../src/smoothing/certificate.ts';
import {
  certificate,
  certifyParameters,
  type CertifyParameters,
  certifyProcedure,
  type CertifyResult,
} from '../../../src/smoothing/procedures/certify.ts';
import type { Votes } from '../../../src/smoothing/votes.ts';
import { alphaPerBound, radiusFromVotes } from '../../../src/smoothing/votes-to-radius.ts';
import twoBounds from '../../fixtures/smoothing/two-bounds.json' with { type: 'json' };
import { compareExactly, relativeError } from '../../support/exact-decimal.ts';
import { statisticsFixture } from '../../support/statistics-fixture.ts';

function certify(
  asked: Partial<CertifyParameters>,
  selection: Votes,
  estimation: Votes,
  totalVariation = 0,
): CertifyResult {
  const sum = (votes: Votes): number => votes.reduce((total, count) => total + count, 0);
  const parameters = certifyParameters({ sigma: 0.5, n0: sum(selection), n: sum(estimation), ...asked });
  const step = certifyProcedure(parameters, totalVariation).next({ selection, estimation });
  if (step.kind !== 'done') throw new Error('the procedure has not decided');
  return step.result;
}

describe('CERTIFY', () => {
  it('gives p = 0.7172974 and R = 0.28742 for 7312 of 10,000 at sigma 0.5 and alpha 0.001', () => {
    const result = certify({}, [1, 99], [2688, 7312]);
    expect(result).toMatchObject({ outcome: 'certified', selectedClass: 1, topCount: 7312 });
    expect(result.pALowerBound).toBeCloseTo(0.7172974, 7);
    expect(result.certifiedRadius).toBeCloseTo(0.287415819196, 11);
    expect(result.pBUpperBound).toBeNull();
  });

  it('reaches 3.8114565634 sigma with 100,000 unanimous votes, and no more', () => {
    const { certifiedRadius } = certify({ sigma: 1 }, [0, 100], [0, 100_000]);
    expect(certifiedRadius).toBeCloseTo(3.8114565634, 9);
  });

  it('takes the class from the selection alone, whatever the estimation says', () => {
    const result = certify({}, [51, 49, 0], [100, 9_900, 0]);
    expect(result).toMatchObject({ selectedClass: 0, topCount: 100, outcome: 'abstained' });
    expect(certify({}, [50, 50], [9_900, 100]).selectedClass).toBe(0);
  });

  it('takes the bound from the estimation alone: selection votes never change it', () => {
    const all = [
      [51, 49, 0],
      [100, 0, 0],
      [34, 33, 33],
    ].map((selection) => {
      const { selectionVotes, ...rest } = certify({}, selection, [8_000, 1_500, 500]);
      expect(selectionVotes).toBe(selection);
      return rest;
    });
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
    const more = certify({ n0: 1000 }, [1000, 0, 0], [8_000, 1_500, 500]);
    expect(more.pALowerBound).toBe(all[0]!.pALowerBound);
  });

  it('abstains exactly where the lower bound is not above one half', () => {
    for (const { n, alpha, z, k } of statisticsFixture('smallest-count')) {
      if (z !== 0 || k === null || alpha < 1e-12 || n < 10) continue;
      const at = certify({ alpha }, [1, 0], [k, n - k]);
      expect(at.outcome, `k=${k} n=${n}`).toBe('certified');
      expect(at.pALowerBound).toBeGreaterThan(0.5);
      expect(at.certifiedRadius).toBeGreaterThan(0);
      const below = certify({ alpha }, [1, 0], [k - 1, n - k + 1]);
      expect(below.outcome, `k=${k - 1} n=${n}`).toBe('abstained');
      expect(below.pALowerBound).toBeLessThanOrEqual(0.5);
      expect(below.certifiedRadius).toBeNull();
    }
  });

  it('never says more than mpmath with both bounds, and no less than all but 1e-12 of it', () => {
    for (const { topCount, runnerUpCount, n, alpha, sigma, ...exact } of twoBounds.cases) {
      const name = `${topCount}, ${runnerUpCount} of ${n}`;
      // The rest is spread so that no class of it comes near the runner-up, or is unanimous with it.
      const rest = n - topCount - runnerUpCount;
      const others = Array.from({ length: Math.max(1, Math.ceil(rest / Math.max(1, runnerUpCount))) });
      const spread = others.map((_, index) => Math.floor((rest + index) / others.length));
      const votes = [...spread, topCount, runnerUpCount];
      const selection = votes.map((_, index) => (index === spread.length ? 1 : 0));
      const asked = { alpha, sigma, bound: 'pA-pB' } as const;
      const result = certify(asked, selection, votes);
      expect(result.topCount, name).toBe(topCount);
      expect(compareExactly(result.pALowerBound, exact.pALowerBound), name).toBe(-1);
      expect(compareExactly(result.pBUpperBound!, exact.pBUpperBound), name).toBe(1);
      expect(relativeError(result.pALowerBound, exact.pALowerBound), name).toBeGreaterThan(-1e-12);
      expect(relativeError(result.pBUpperBound!, exact.pBUpperBound), name).toBeLessThan(1e-12);
      expect(result.certifiedRadius === null, name).toBe(exact.radius === null);
      if (result.certifiedRadius === null || exact.radius === null) continue;
      expect(compareExactly(result.certifiedRadius, exact.radius), name).toBe(-1);
      // Near one half the radius is a small difference of large terms; its error is one of sigma.
      const slack = 1e-12 * (Number(exact.radius) + sigma);
      expect(Number(exact.radius) - result.certifiedRadius, name).toBeLessThan(slack);
    }
  });

  it('bounds every other class by the largest other count, the selected class itself left out', () => {
    const low = certify({ bound: 'pA-pB' }, [0, 1, 0], [700, 200, 100]);
    expect(low).toMatchObject({ selectedClass: 1, topCount: 200, outcome: 'abstained' });
    const same = radiusFromVotes({ sigma: 0.5, n: 1000, alpha: 0.001, topCount: 200, runnerUpCount: 700 }, 0);
    expect(low).toMatchObject(same);
  });

  it('certifies with both bounds where p_A is below one half but well above every other', () => {
    const votes = [450, 190, 180, 180];
    expect(certify({ bound: 'pA' }, [1, 0, 0, 0], votes).outcome).toBe('abstained');
    const both = certify({ bound: 'pA-pB' }, [1, 0, 0, 0], votes);
    expect(both.outcome).toBe('certified');
    expect(both.pALowerBound).toBeLessThan(0.5);
    expect(both.pBUpperBound).toBeLessThan(both.pALowerBound);
  });

  it('splits alpha in two only where two bounds must hold', () => {
    expect(alphaPerBound(0.001, true)).toBe(0.0005);
    expect(alphaPerBound(0.001, false)).toBe(0.001);
    const counts = { sigma: 0.5, n: 1000, topCount: 900, runnerUpCount: null };
    const half = radiusFromVotes({ ...counts, alpha: 0.0005 }, 0);
    const both = radiusFromVotes({ ...counts, alpha: 0.001, runnerUpCount: 100 }, 0);
    expect(both.pALowerBound).toBe(half.pALowerBound);
  });

  it('takes the total variation off every bound before it is rounded', () => {
    const exact = certify({ bound: 'pA-pB' }, [1, 0], [900, 100]);
    const off = certify({ bound: 'pA-pB' }, [1, 0], [900, 100], 0.01);
    expect(off.pALowerBound).toBeCloseTo(exact.pALowerBound - 0.01, 14);
    expect(off.pBUpperBound!).toBeCloseTo(exact.pBUpperBound! + 0.01, 14);
    expect(off.certifiedRadius!).toBeLessThan(exact.certifiedRadius!);
    // Far below a double's spacing it still moves the bound by one step, never none.
    const tiny = certify({}, [1, 0], [900, 100], 1e-25);
    expect(tiny.pALowerBound).toBeLessThan(certify({}, [1, 0], [900, 100]).pALowerBound);
    expect(certify({}, [1, 0], [900, 100], 0.5).outcome).toBe('abstained');
    expect(certify({}, [1, 0], [900, 100], 1)).toMatchObject({ pALowerBound: 0, certifiedRadius: null });
  });
});

describe('a certificate', () => {
  const ORIGIN: CertificateOrigin<'server'> = {
    model: {
      name: 'mnist',
      version: '1.0.0',
      digest: 'a'.repeat(64),
      files: [{ path: 'm', sha256: 'b'.repeat(64) }],
    },
    input: { digest: 'c'.repeat(64), shape: [1, 28, 28], layout: 'NCHW', index: 3 },
    noise: {
      scheme: 'rounded-gaussian',
      version: 1,
      totalVariation: 1e-24,
      seed: 'd'.repeat(64),
      seedSource: 'server',
    },
    engine: { name: 'onnxruntime-node', version: '1.30.0', provider: 'cpu', precision: 'fp32' },
    devices: [{ name: 'CPU', batchSize: 64, samples: 10_100 }],
    software: { name: 'smoothcert', version: '0.1.0' },
  };
  const parameters: CertifyParameters = { sigma: 0.5, n0: 10, n: 1_000, alpha: 0.001, bound: 'pA-pB' };

  it('names all that is needed to check it or to draw it again', () => {
    const result = certify(parameters, [0, 10, 0], [0, 990, 10]);
    expect(certificate(parameters, result, ORIGIN)).toEqual({
      format: 'smoothcert/certificate/1',
      procedure: 'certify',
      ...parameters,
      clip: false,
      outcome: 'certified',
      selectedClass: 1,
      selectionVotes: { 1: 10 },
      estimationVotes: { 1: 990, 2: 10 },
      pALowerBound: result.pALowerBound,
      pBUpperBound: result.pBUpperBound,
      certifiedRadius: result.certifiedRadius,
      ...ORIGIN,
    });
  });

  it('of an abstention has no radius, and survives JSON unchanged', () => {
    const result = certify({ ...parameters, bound: 'pA' }, [0, 10, 0], [0, 500, 500]);
    const made = certificate({ ...parameters, bound: 'pA' }, result, ORIGIN);
    expect(made).toMatchObject({ outcome: 'abstained', certifiedRadius: null, pBUpperBound: null });
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
  });
});
