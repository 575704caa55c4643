import { describe, expect, it } from 'vitest';
import type { DomainError } from '../../../src/errors.ts';
import { type BoundForm, PARAMETER_LIMITS } from '../../../src/smoothing/parameters.ts';
import {
  CERTIFY_DEFAULTS,
  certifyParameters,
  certifyProcedure,
  leastCertifyingN,
} from '../../../src/smoothing/procedures/certify.ts';
import {
  PREDICT_DEFAULTS,
  predictParameters,
  predictProcedure,
} from '../../../src/smoothing/procedures/predict.ts';
import { domainFault } from '../../support/domain-fault.ts';
import { exactDouble } from '../../support/exact-double.ts';

const pointers = ({ faults }: DomainError): string[] => faults.map(({ pointer }) => pointer);

/** Least n with 2^-n < share, by integers: the share is an integer multiple of 2^-1074. */
function leastByIntegers(share: bigint): number {
  let n = 1;
  while (1n << BigInt(1074 - n) >= share) n += 1;
  return n;
}

describe('the defaults', () => {
  it('are those of Cohen, Rosenfeld & Kolter (2019), section 4', () => {
    expect(CERTIFY_DEFAULTS).toEqual({ n0: 100, n: 100_000, alpha: 0.001, bound: 'pA' });
    expect(PREDICT_DEFAULTS).toEqual({ n: 1_000, alpha: 0.001 });
  });

  it('fill in what is left out, and nothing else', () => {
    expect(certifyParameters({ sigma: 0.5 })).toEqual({ sigma: 0.5, ...CERTIFY_DEFAULTS });
    expect(predictParameters({ sigma: 0.5 })).toEqual({ sigma: 0.5, ...PREDICT_DEFAULTS });
    const all = { sigma: 0.25, n0: 10, n: 500, alpha: 0.01, bound: 'pA-pB' } as const;
    expect(certifyParameters(all)).toEqual(all);
    expect(predictParameters({ sigma: 1, n: 50, alpha: 0.05 })).toEqual({ sigma: 1, n: 50, alpha: 0.05 });
  });

  it('drop what is no parameter', () => {
    const asked = { sigma: 0.5, sigam: 1 };
    expect(Object.keys(certifyParameters(asked)).sort()).toEqual(['alpha', 'bound', 'n', 'n0', 'sigma']);
    expect(Object.keys(predictParameters(asked)).sort()).toEqual(['alpha', 'n', 'sigma']);
  });
});

describe('faults', () => {
  it('are all reported at once, each at its place', async () => {
    const asked = { sigma: 3, n0: 0.5, n: -1, alpha: 1, bound: 'pB' as BoundForm };
    const fault = await domainFault(() => certifyParameters(asked));
    expect(fault.code).toBe('validation_failed');
    expect(fault.faults).toEqual([
      { pointer: '/parameters/sigma', detail: 'sigma must be a number from 0.01 to 2.84' },
      { pointer: '/parameters/n0', detail: 'n0 must be an integer from 1 to 1000000' },
      { pointer: '/parameters/n', detail: 'n must be an integer from 1 to 10000000' },
      { pointer: '/parameters/alpha', detail: 'alpha must be a number from 1e-12 to 0.25' },
      { pointer: '/parameters/bound', detail: 'bound must be "pA" or "pA-pB"' },
    ]);
    const predict = await domainFault(() => predictParameters({ sigma: 0, n: 0, alpha: 0 }, ''));
    expect(pointers(predict)).toEqual(['/sigma', '/n', '/alpha']);
  });

  for (const [name, { minimum, maximum, integer }] of Object.entries(PARAMETER_LIMITS)) {
    it(`of ${name} begin just outside its range`, async () => {
      const step = integer ? 1 : 1e-15;
      const base = { sigma: 0.5, n0: 100, n: 100_000, alpha: 0.001 };
      for (const value of [minimum, maximum]) {
        // A least n or alpha may still be refused as one that certifies nothing.
        const code = await domainFault(() => certifyParameters({ ...base, [name]: value })).then(
          (fault) => fault.code,
          () => null,
        );
        expect(code).not.toBe('validation_failed');
      }
      for (const value of [minimum - step, maximum + step, NaN, Infinity, -1]) {
        const fault = await domainFault(() => certifyParameters({ ...base, [name]: value }));
        expect([fault.code, ...pointers(fault)]).toEqual(['validation_failed', `/parameters/${name}`]);
      }
    });
  }
});

describe('a request that can never certify', () => {
  const ALPHAS = [
    0.5,
    0.25,
    0.3,
    0.1,
    0.05,
    0.001,
    2 ** -10,
    2 ** -10 + 2 ** -62,
    2 ** -10 - 2 ** -63,
    1e-12,
  ];

  it('begins where 2^-n reaches alpha, or half of it with both bounds, to the last bit', () => {
    for (const alpha of ALPHAS) {
      const exact = exactDouble(alpha);
      expect(leastCertifyingN(alpha, 'pA')).toBe(leastByIntegers(exact));
      expect(leastCertifyingN(alpha, 'pA-pB')).toBe(leastByIntegers(exact / 2n));
    }
    expect(leastCertifyingN(0.001, 'pA')).toBe(10);
    expect(leastCertifyingN(0.001, 'pA-pB')).toBe(11);
  });

  for (const bound of ['pA', 'pA-pB'] as const) {
    it(`is refused below the least n and certified by unanimous votes at it (${bound})`, async () => {
      for (const alpha of [0.25, 0.1, 0.05, 0.001, 1e-12]) {
        const n = leastCertifyingN(alpha, bound);
        const parameters = certifyParameters({ sigma: 0.5, n0: 1, n, alpha, bound });
        const step = certifyProcedure(parameters, 1e-24).next({ selection: [1, 0], estimation: [n, 0] });
        expect(step).toMatchObject({ kind: 'done', result: { outcome: 'certified' } });
        if (n === 1) continue;
        const fault = await domainFault(() => certifyParameters({ ...parameters, n: n - 1 }, '/x'));
        const detail = `n = ${n - 1} samples cannot certify at alpha = ${alpha}: at least ${n} are needed`;
        expect([fault.code, fault.message]).toEqual(['cannot_certify', detail]);
        expect(fault.faults).toEqual([{ pointer: '/x/n', detail }]);
      }
    });
  }

  it('is one of a prediction too: unanimous votes must be significant', async () => {
    for (const [alpha, least] of [
      [0.25, 3],
      [0.05, 6],
      [0.001, 11],
      [1e-12, 41],
    ] as const) {
      const fault = await domainFault(() => predictParameters({ sigma: 0.5, n: least - 1, alpha }));
      expect([fault.code, ...pointers(fault)]).toEqual(['cannot_certify', '/parameters/n']);
      const parameters = predictParameters({ sigma: 0.5, n: least, alpha });
      const step = predictProcedure(parameters, 1e-24, 'runner-up').next({ prediction: [0, least] });
      // At 2^(1-n) = alpha itself the rounding upwards abstains, and must.
      const outcome = 2 ** (1 - least) === alpha ? 'abstained' : 'predicted';
      expect(step).toMatchObject({ result: { outcome } });
    }
  });
});
