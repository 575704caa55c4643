import { describe, expect, it } from 'vitest';
import { withScoresOfTwo } from '../../../src/engines/binary-scores.ts';
import { argmaxRows } from '../../../src/engines/classifier.ts';
import { NonFiniteScoreError } from '../../../src/engines/non-finite-score-error.ts';
import type { EngineSession } from '../../../src/engines/engine.ts';
import type { Manifest } from '../../../src/models/manifest.ts';
import type { VerifiedModel } from '../../../src/models/verify.ts';
import { domainFault } from '../../support/domain-fault.ts';
import { imageInput, manifestOf } from '../../support/model-folder.ts';

type Kind = NonNullable<Manifest['output']['kind']>;

/** The classes of rows for which a network with one output gives these values. */
async function classesOf(kind: Kind, values: readonly number[]): Promise<number[]> {
  const manifest = manifestOf('binary', { files: {}, input: imageInput(1, 1), classes: 2, output: { kind } });
  const network = { scores: () => Promise.resolve(Float32Array.from(values)) } as unknown as EngineSession;
  const session = withScoresOfTwo(network, { manifest, path: 'binary.onnx' } as VerifiedModel);
  const classes = new Int32Array(values.length);
  argmaxRows(await session.scores(new Float32Array(values.length), values.length), 2, values.length, classes);
  return [...classes];
}

// The neighbours of one half in float32.
const [BELOW, ABOVE] = [0.5 - 2 ** -25, 0.5 + 2 ** -24];

describe('one value that decides between two classes', () => {
  it('of a sigmoid says the second where it is above one half, by however little, and the first at one half', async () => {
    expect(await classesOf('sigmoid', [0, BELOW, 0.5, ABOVE, 1, 1e-45])).toEqual([0, 0, 0, 1, 1, 0]);
  });

  it('before a sigmoid says the second where it is above zero, and the first at zero', async () => {
    expect(await classesOf('logit', [-3e38, -1e-45, -0, 0, 1e-45, 3e38])).toEqual([0, 0, 0, 0, 1, 1]);
  });

  it('that is no number is no class', async () => {
    for (const kind of ['sigmoid', 'logit'] as const)
      await expect(classesOf(kind, [0.1, NaN])).rejects.toThrow(NonFiniteScoreError);
    for (const value of [Infinity, -Infinity])
      await expect(classesOf('logit', [value])).rejects.toThrow(NonFiniteScoreError);
  });

  it('is no sigmoid where it leaves [0,1]: the threshold would be another', async () => {
    for (const value of [1.5, -0.001, Infinity]) {
      const fault = await domainFault(() => classesOf('sigmoid', [0.5, value]));
      expect(fault.code).toBe('model_output_invalid');
      expect(fault.message).toContain('"logit"');
    }
  });
});
