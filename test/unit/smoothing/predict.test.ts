import { describe, expect, it } from 'vitest';
import {
  predictProcedure,
  type PredictResult,
  type Rivals,
} from '../../../src/smoothing/procedures/predict.ts';
import type { Votes } from '../../../src/smoothing/votes.ts';
import { exactDouble } from '../../support/exact-double.ts';
import fixture from '../../fixtures/smoothing/predict.json' with { type: 'json' };

function predict(
  votes: Votes,
  alpha = 0.001,
  totalVariation = 0,
  rivals: Rivals = 'runner-up',
): PredictResult {
  const n = votes.reduce((sum, count) => sum + count, 0);
  const step = predictProcedure({ sigma: 0.5, n, alpha }, totalVariation, rivals).next({ prediction: votes });
  if (step.kind !== 'done') throw new Error('the procedure has not decided');
  return step.result;
}

describe('PREDICT', () => {
  it("has the p-value of SciPy's binomtest on the top two counts, whatever the others got", () => {
    for (const { topCount, runnerUpCount, rest, pValue } of fixture.cases) {
      const result = predict([rest, runnerUpCount, topCount]);
      expect(Math.abs(result.pValue / pValue - 1), `${topCount}, ${runnerUpCount}`).toBeLessThan(1e-10);
      expect(result.topCount).toBe(topCount);
      expect(result.runnerUpCount).toBe(runnerUpCount);
    }
  });

  it('predicts where SciPy is significant at alpha, and abstains elsewhere', () => {
    for (const { topCount, runnerUpCount, rest, pValue } of fixture.cases) {
      for (const alpha of [0.25, 0.05, 0.001, 1e-6]) {
        // An alpha that is the p-value itself is decided by rounding, to the safe side.
        if (Math.abs(pValue / alpha - 1) < 1e-9) continue;
        const outcome = pValue < alpha ? 'predicted' : 'abstained';
        expect(predict([rest, runnerUpCount, topCount], alpha).outcome).toBe(outcome);
      }
    }
  });

  it('against all others has the p-value of two classes, and abstains without a majority', () => {
    for (const { topCount, runnerUpCount, rest, pValue } of fixture.cases.filter((each) => each.rest === 0)) {
      const split = [Math.floor(runnerUpCount / 2), Math.ceil(runnerUpCount / 2), topCount, rest];
      if (split[1]! > topCount) continue;
      const { pValue: found } = predict(split, 0.001, 0, 'all-others');
      expect(Math.abs(found / pValue - 1), `${topCount}, ${runnerUpCount}`).toBeLessThan(1e-10);
    }
    const votes = [100, 100, 400];
    expect(predict(votes, 0.001, 0, 'all-others')).toMatchObject({ outcome: 'predicted', topClass: 2 });
    const plurality = [300, 250, 450];
    expect(predict(plurality)).toMatchObject({ outcome: 'predicted', topClass: 2 });
    expect(predict(plurality, 0.001, 0, 'all-others')).toMatchObject({ outcome: 'abstained', topClass: 2 });
  });

  it('names the class and the votes, in an abstention too', () => {
    const votes = [10, 30, 60];
    expect(predict(votes)).toMatchObject({ outcome: 'abstained', topClass: 2, votes });
    expect(predict([0, 0, 50])).toMatchObject({ outcome: 'predicted', topClass: 2, runnerUpCount: 0 });
    expect(predict([50])).toMatchObject({ topClass: 0, runnerUpCount: 0 });
    expect(predict([40, 40, 20])).toMatchObject({ outcome: 'abstained', topClass: 0, pValue: 1 });
  });

  it('adds to the p-value what n samples may differ from exact Gaussian noise', () => {
    const exact = predict([30, 70]).pValue;
    const off = predict([30, 70], 0.001, 1e-6).pValue;
    expect(off - exact).toBeGreaterThanOrEqual(100 * 1e-6);
    expect(off - exact).toBeLessThanOrEqual(201 * 1e-6);
    // Less than half a unit in the last place of the p-value: still above the sum, exactly.
    const tiny = exactDouble(predict([30, 70], 0.001, 2 ** -70).pValue);
    expect(tiny - exactDouble(exact) >= exactDouble(200 * 2 ** -70)).toBe(true);
    expect(predict([0, 100], 0.5, 0.01)).toMatchObject({ outcome: 'abstained', pValue: 1 });
  });
});
