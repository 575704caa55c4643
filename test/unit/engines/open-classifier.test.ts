import { describe, expect, it, onTestFinished } from 'vitest';
import type { Classifier } from '../../../src/engines/classifier.ts';
import { CPU_TARGET } from '../../../src/engines/compute-target.ts';
import type { EngineSession } from '../../../src/engines/engine.ts';
import { openOnnxSession } from '../../../src/engines/onnx/engine.ts';
import { openClassifier, type OpenSession } from '../../../src/engines/open-classifier.ts';
import type { BatchMixing } from '../../../src/models/batch-mixing.ts';
import { openModelStore } from '../../../src/models/store.ts';
import { type VerifiedModel, verifyModel } from '../../../src/models/verify.ts';
import { MODELS } from '../../support/api.ts';
import { domainFault } from '../../support/domain-fault.ts';
import { PRELUDES } from '../../support/linear-onnx.ts';
import { imageInput, type LinearModelOptions, writeLinearModel } from '../../support/model-folder.ts';
import { useTemporaryDirectory } from '../../support/temporary-directory.ts';

const at = useTemporaryDirectory();
/** Light and dark images are told apart at a mean of one half. */
const brightness: LinearModelOptions = {
  weights: [
    [1, 1, 1, 1],
    [0, 0, 0, 0],
  ],
  biases: [-2, 0],
  input: imageInput(2, 2),
};
const UNKNOWN: BatchMixing = { verdict: 'unknown', operators: ['Odd (odd_1) cannot be followed'] };
const MIXES: BatchMixing = { verdict: 'mixes', operators: ['ReduceMean (mean_1) over axis 0'] };
const INDEPENDENT: BatchMixing = { verdict: 'independent', operators: [] };

let folders = 0;

/** A model, of whose graph `mixing` is said. */
async function model(mixing: BatchMixing, options: Partial<LinearModelOptions> = {}): Promise<VerifiedModel> {
  folders += 1;
  const registered = await writeLinearModel(at(`models-${folders}`, 'model'), { ...brightness, ...options });
  return { ...(await verifyModel(registered)), mixing };
}

async function open(verified: VerifiedModel, session?: OpenSession): Promise<Classifier> {
  const classifier = await openClassifier(verified, CPU_TARGET, session);
  onTestFinished(() => classifier.close());
  return classifier;
}

/** ONNX Runtime with something added to the first score of each row, by its place. */
const bent =
  (by: (place: number, batch: Float32Array) => number): OpenSession =>
  async (verified, target): Promise<EngineSession> => {
    const session = await openOnnxSession(verified, target);
    return {
      ...session,
      async scores(batch, rows) {
        const scores = Float32Array.from(await session.scores(batch, rows));
        for (let row = 0; row < rows; row += 1) scores[2 * row]! += by(row, batch);
        return scores;
      },
    };
  };

describe.each(Object.entries(PRELUDES).filter(([name]) => /batch|dynamic|faint/.test(name)))(
  'a network that mixes the rows of a batch (%s)',
  (_, prelude) => {
    it('is refused, of whatever batch, with what to do, where the graph is not understood', async () => {
      for (const batch of ['any', 2, 8]) {
        const { code, message } = await domainFault(async () =>
          open(await model(UNKNOWN, { prelude, batch })),
        );
        expect(code).toBe('model_invalid');
        expect(message).toMatch(/gives a row other scores when other rows are in its batch|in another size/);
        expect(message).toContain('Odd (odd_1) cannot be followed');
        expect(message).toContain(batch === 'any' ? '"batch": 1 in the manifest' : 'for a batch of one row');
      }
    });

    it('runs one row a call where the manifest says so, and that is recorded', async () => {
      for (const mixing of [UNKNOWN, MIXES]) {
        const classifier = await open(await model(mixing, { prelude, rowsPerCall: 1 }));
        expect(classifier).toMatchObject({
          fixedBatch: 1,
          aligned: true,
          description: { rows: 'alone', batch: 1 },
        });
        await expect(classifier.classify(new Float32Array(8), 2, new Int32Array(2))).rejects.toThrow(
          RangeError,
        );
      }
    });

    it('could be opened but for this check', async () => {
      const session = await openOnnxSession(await model(UNKNOWN, { prelude }), CPU_TARGET);
      await session.close();
    });
  },
);

describe('a network whose graph mixes the rows of a batch', () => {
  it('is refused by the names of the operators, though the probe finds nothing', async () => {
    const { code, message } = await domainFault(async () => open(await model(MIXES)));
    expect(code).toBe('model_invalid');
    expect(message).toContain(
      'mixes the rows of a batch: ReduceMean (mean_1) over axis 0; export it for inference',
    );
    expect((await domainFault(async () => open(await model(MIXES, { rowsPerCall: 2 })))).code).toBe(
      'model_invalid',
    );
  });
});

describe('a network that classifies each row by itself', () => {
  it('is opened, whatever its batch, and it is said how that is known', async () => {
    for (const [batch, fixedBatch] of [
      ['any', null],
      [5, 5],
    ] as const) {
      // prettier-ignore
      for (const [mixing, rows] of [[INDEPENDENT, 'proved'], [UNKNOWN, 'probed']] as const) {
        const classifier = await open(await model(mixing, { batch }));
        expect(classifier).toMatchObject({ fixedBatch, aligned: false, description: { rows } });
        expect(classifier.description).not.toHaveProperty('batch');
      }
    }
  });

  it('is said to be computed alone where a call has one row, by the file or the manifest, whatever its graph shows', async () => {
    for (const mixing of [INDEPENDENT, UNKNOWN, MIXES]) {
      for (const one of [{ batch: 1 }, { rowsPerCall: 1 }]) {
        const classifier = await open(await model(mixing, one));
        expect(classifier).toMatchObject({ fixedBatch: 1, description: { rows: 'alone', batch: 1 } });
      }
    }
  });

  it('takes the rows of a call from the manifest, and refuses a number that the file does not take', async () => {
    expect(await open(await model(UNKNOWN, { rowsPerCall: 3 }))).toMatchObject({
      fixedBatch: 3,
      aligned: false,
    });
    const { message } = await domainFault(async () =>
      open(await model(UNKNOWN, { rowsPerCall: 3, batch: 4 })),
    );
    expect(message).toContain("takes 4 rows a call; the manifest's batch says 3");
  });

  it('is what the shipped models are', async () => {
    for (const registered of (await openModelStore(MODELS)).models) {
      const classifier = await openClassifier(await verifyModel(registered), { ...CPU_TARGET, wasm: true });
      onTestFinished(() => classifier.close());
      expect(classifier).toMatchObject({ fixedBatch: null, aligned: false });
    }
  });
});

describe('a network whose scores are rounded by the place in the batch', () => {
  it('is classified in batches of one size, which the description names', async () => {
    const rounding = bent((place) => place * 2 ** -22);
    expect(await open(await model(UNKNOWN), rounding)).toMatchObject({
      fixedBatch: 64,
      aligned: true,
      description: { rows: 'probed', batch: 64 },
    });
    const own = await open(await model(INDEPENDENT, { rowsPerCall: 16 }), rounding);
    expect(own).toMatchObject({ fixedBatch: 16, aligned: true, description: { rows: 'proved', batch: 16 } });
    const fixed = await open(await model(INDEPENDENT, { batch: 5 }), rounding);
    expect(fixed).toMatchObject({ fixedBatch: 5, aligned: true, description: { batch: 5 } });
  });

  it('gets a batch that fits the memory: 16 rows of 3 x 224 x 224', async () => {
    const zeros = Array.from({ length: 3 * 224 * 224 }, () => 0);
    const large = { input: imageInput(224, 224, 3), weights: [zeros, zeros], biases: [1, 2] };
    const classifier = await open(
      await model(UNKNOWN, large),
      bent((place) => place * 2 ** -22),
    );
    expect(classifier.fixedBatch).toBe(16);
  });
});

describe('differences as small as rounding that come with other rows', () => {
  it('are rounding where the graph proves the rows independent, and are refused where it does not', async () => {
    const faint = bent((_, batch) => (batch.at(-1)! > 2 ? 2 ** -22 : 0));
    expect(await open(await model(INDEPENDENT), faint)).toMatchObject({
      aligned: true,
      description: { rows: 'proved' },
    });
    const { message } = await domainFault(async () => open(await model(UNKNOWN), faint));
    expect(message).toContain('by as little as rounding does: Odd (odd_1) cannot be followed');
  });
});
