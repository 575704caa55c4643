import { describe, expect, it } from 'vitest';
import { chooseModel, chooseSigma } from '../../../src/cli/choose-model.ts';
import { DomainError } from '../../../src/errors.ts';
import { aModel } from '../../support/certification-samples.ts';

const one = aModel({ name: 'one' });
const two = aModel({ name: 'two' });

function faultOf(action: () => unknown) {
  try {
    action();
  } catch (error) {
    if (error instanceof DomainError) return error.faults[0];
  }
  return null;
}

describe('chooseModel', () => {
  it('takes the only one without being told', () => expect(chooseModel([one], undefined)).toBe(one));

  it('takes the one that is named', () => expect(chooseModel([one, two], 'two')).toBe(two));

  it('lists the names where it cannot know', () => {
    expect(faultOf(() => chooseModel([one, two], undefined))).toEqual({
      pointer: '--model',
      detail: 'is required, since there are several: one, two',
    });
  });

  it('lists the names where there is none of that name', () => {
    expect(faultOf(() => chooseModel([one, two], 'three'))?.detail).toBe(
      'there is no model "three"; there are: one, two',
    );
  });

  it('says so where there are no models', () => {
    expect(faultOf(() => chooseModel([], undefined))?.detail).toBe('there are no models');
  });
});

describe('chooseSigma', () => {
  it('is what was asked, else what the model was trained with', () => {
    expect(chooseSigma(one, 0.25)).toBe(0.25);
    expect(chooseSigma(one, undefined)).toBe(0.5);
  });

  it.each([null, 0])('must be asked for where the model was trained with %s', (trainedSigma) => {
    const model = aModel({ smoothing: { trainedSigma } });
    expect(faultOf(() => chooseSigma(model, undefined))?.pointer).toBe('--sigma');
    expect(chooseSigma(model, 0.1)).toBe(0.1);
  });
});
