import { describe, expect, it } from 'vitest';
import { type CertifyParameters, certifyProcedure } from '../../../src/smoothing/procedures/certify.ts';
import { predictProcedure } from '../../../src/smoothing/procedures/predict.ts';
import { type Draw, type Procedure, requireVotes, type Tally } from '../../../src/smoothing/procedure.ts';
import { runProcedure, type Sampler } from '../../support/run-procedure.ts';

const PARAMETERS: CertifyParameters = { sigma: 0.5, n0: 10, n: 200, alpha: 0.01, bound: 'pA' };

/** A sampler whose sample i of every purpose votes for class `classOf(i)`, and that remembers what was asked. */
function sampler(classes: number, classOf: (sample: number) => number): Sampler & { asked: Draw[] } {
  const asked: Draw[] = [];
  return {
    asked,
    async sample(draw) {
      asked.push(draw);
      const votes = Array.from<number>({ length: classes }).fill(0);
      for (let i = 0; i < draw.count; i += 1) votes[classOf(draw.firstSample + i)]! += 1;
      return votes;
    },
  };
}

describe('requireVotes', () => {
  it('gives the votes where they are as many as were asked for', () => {
    expect(requireVotes({ selection: [3, 7] }, 'selection', 10)).toEqual([3, 7]);
  });

  it('refuses votes that are lost, doubled or of another purpose', () => {
    expect(() => requireVotes({ selection: [3, 6] }, 'selection', 10)).toThrow(
      '9 selection votes where exactly 10 were asked for',
    );
    expect(() => requireVotes({ selection: [6, 14] }, 'selection', 10)).toThrow('20 selection votes');
    expect(() => requireVotes({ selection: [3, 7] }, 'estimation', 10)).toThrow('0 estimation votes');
  });
});

describe('a procedure, run to its end', () => {
  it('asks for what CERTIFY needs, once, and decides', async () => {
    const source = sampler(3, (sample) => (sample % 20 === 0 ? 1 : 2));
    const result = await runProcedure(certifyProcedure(PARAMETERS, 0), source);
    expect(source.asked).toEqual([
      { purpose: 'selection', firstSample: 0, count: 10 },
      { purpose: 'estimation', firstSample: 0, count: 200 },
    ]);
    expect(result).toMatchObject({ selectedClass: 2, topCount: 190, estimationVotes: [0, 10, 190] });
    expect(result.outcome).toBe('certified');
  });

  it('asks for what PREDICT needs, once, and decides', async () => {
    const source = sampler(2, () => 1);
    const result = await runProcedure(
      predictProcedure({ n: 50, alpha: 0.01, sigma: 1 }, 0, 'runner-up'),
      source,
    );
    expect(source.asked).toEqual([{ purpose: 'prediction', firstSample: 0, count: 50 }]);
    expect(result).toMatchObject({ outcome: 'predicted', topClass: 1, topCount: 50, runnerUpCount: 0 });
  });
});

describe('a procedure', () => {
  const cases: readonly [string, Procedure<unknown>, Tally][] = [
    ['certify', certifyProcedure(PARAMETERS, 1e-20), { selection: [4, 6], estimation: [20, 180] }],
    [
      'predict',
      predictProcedure({ n: 100, alpha: 0.01, sigma: 1 }, 1e-20, 'runner-up'),
      { prediction: [20, 80] },
    ],
  ];
  for (const [name, procedure, tally] of cases) {
    it(`gives the same step for the same tally, however often it is asked (${name})`, () => {
      const first = procedure.next(structuredClone(tally));
      procedure.next({});
      expect(procedure.next(structuredClone(tally))).toEqual(first);
      expect(procedure.next({})).toEqual(procedure.next({}));
    });

    it(`leaves the tally as it was (${name})`, () => {
      const given = structuredClone(tally);
      procedure.next(given);
      expect(given).toEqual(tally);
    });

    it(`asks for no more than it planned (${name})`, () => {
      const step = procedure.next({});
      const asked = step.kind === 'draw' ? step.draws.reduce((sum, { count }) => sum + count, 0) : 0;
      expect(asked).toBe(procedure.plannedSamples);
    });

    it(`refuses a tally with a vote too many or too few (${name})`, () => {
      for (const change of [-1, 1]) {
        for (const purpose of Object.keys(tally) as (keyof Tally)[]) {
          const votes = tally[purpose]!;
          const wrong = { ...tally, [purpose]: [votes[0]! + change, ...votes.slice(1)] };
          expect(() => procedure.next(wrong)).toThrow(RangeError);
        }
      }
    });
  }

  it('asks again while either part of CERTIFY is missing', () => {
    const procedure = certifyProcedure(PARAMETERS, 0);
    expect(procedure.next({ selection: [4, 6] })).toEqual(procedure.next({}));
    expect(procedure.next({ estimation: [20, 180] })).toEqual(procedure.next({}));
  });
});
