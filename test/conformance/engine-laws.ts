import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Classifier, createClassifier } from '../../src/engines/classifier.ts';
import type { EngineSession } from '../../src/engines/engine.ts';
import { probeRows } from '../../src/engines/row-probe.ts';
import { type VerifiedModel, verifyModel } from '../../src/models/verify.ts';
import { domainFault } from '../support/domain-fault.ts';
import { type LinearLawModel, type WriteLinear, writeLinearOnnx } from '../support/linear-law-model.ts';
import { imageInput } from '../support/model-folder.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';

/** Opens a session on a model; what engines implement. */
export type OpenSession = (model: VerifiedModel) => Promise<EngineSession>;

const directory = useTemporaryDirectory();

let folders = 0;

/** Rows of values k/255, the same on every run: a linear congruential generator (Numerical Recipes, 3rd ed., 7.1). */
export function pixels(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 24) / 255;
  });
}

/** Class of each row of a linear classifier, in double precision; the lowest of equal scores. */
function classesOf({ weights, biases }: LinearLawModel, rows: Float32Array): number[] {
  const elements = weights[0]!.length;
  return Array.from({ length: rows.length / elements }, (_, row) => {
    const scores = weights.map((weight, index) =>
      weight.reduce((sum, each, at) => sum + each * rows[row * elements + at]!, biases[index]!),
    );
    return scores.indexOf(Math.max(...scores));
  });
}

/** The classes of the first `rows` rows. */
export async function classify(
  session: Pick<Classifier, 'classify'>,
  batch: Float32Array,
  rows: number,
): Promise<number[]> {
  const classes = new Int32Array(rows).fill(-1);
  await session.classify(batch, rows, classes);
  return [...classes];
}

/** Where engines differ in what they can promise. */
export interface EngineTraits {
  /**
   * Whether operations outside their domain, such as the logarithm of a negative number, give NaN, as IEEE 754 wants.
   * WGSL, the language of WebGPU, lets them give any number (W3C, WGSL, "Differences from IEEE-754").
   */
  readonly domainErrorsAreNaN?: boolean;
  /** Whether the format can divide by a maximum over the batch. */
  readonly divides?: boolean;
  /** Writes linear models in the format that is opened; ONNX without it. */
  readonly write?: WriteLinear;
}

/**
 * What every engine guarantees, on linear models whose answers are known.
 *
 * @param name of the engine
 * @param openSession opens a model in it
 */
export function engineLaws(
  name: string,
  openSession: OpenSession,
  { domainErrorsAreNaN = true, divides = true, write = writeLinearOnnx }: EngineTraits = {},
): void {
  async function linear(options: LinearLawModel): Promise<VerifiedModel> {
    folders += 1;
    return verifyModel(await write(directory(`models-${folders}`, 'linear'), options));
  }

  async function open(model: VerifiedModel): Promise<Classifier> {
    const classifier = createClassifier(await openSession(model), model.manifest);
    onTestFinished(() => classifier.close());
    return classifier;
  }

  // Weights that are quarters: no score of k/255 pixels comes nearer than 1e-4 to another, far above float32's error.
  const THREE: LinearLawModel = {
    input: imageInput(2, 3),
    weights: [
      [1, -0.5, 0.25, 0.75, -1, 0.5],
      [-0.25, 1, 0.5, -0.75, 0.25, -0.5],
      [0.5, 0.25, -1, 0.25, 0.75, 0.25],
    ],
    biases: [0.003, 0.001, 0.002],
  };

  describe(`${name}: the answers`, () => {
    it('are the classes of the linear classifier', async () => {
      const session = await open(await linear(THREE));
      const rows = pixels(6 * 500, 1);
      const classes = await classify(session, rows, 500);
      expect(classes).toEqual(classesOf(THREE, rows));
      expect(new Set(classes).size).toBe(3);
    });

    it('are by the order of elements of each layout', async () => {
      // The class is the brightest channel of the top right pixel of 2 x 2.
      const at = (element: number): number[] => Array.from({ length: 12 }, (_, i) => (i === element ? 1 : 0));
      const image = { red: 0.2, green: 0.9, blue: 0.4 };
      for (const [layout, elements] of [
        ['NCHW', [1, 5, 9]],
        ['NHWC', [3, 4, 5]],
      ] as const) {
        const weights = elements.map(at);
        const options = { input: imageInput(2, 2, 3, layout), weights, biases: [0, 0, 0] };
        const session = await open(await linear(options));
        const batch = new Float32Array(12).fill(1);
        Object.values(image).forEach((level, channel) => (batch[elements[channel]!] = level));
        expect(await classify(session, batch, 1)).toEqual([1]);
      }
    });

    it('are the lowest class where scores tie', async () => {
      const weights = [[0, 0], [1, 1], [0, 0], [1, 1]]; // prettier-ignore
      const session = await open(await linear({ input: imageInput(1, 2), weights, biases: [0, 0, 0, 0] }));
      expect(await classify(session, Float32Array.of(0.5, 0.25, 0, 0, -1, 0.5), 3)).toEqual([1, 0, 0]);
    });

    const random = (seed: number): number[] => Array.from(pixels(96, seed), (each) => each - 0.5);
    const nearly = random(7);
    // Neighbours in float32: which of the two scores is higher is a matter of rounding alone, for most rows.
    const neighbours = random(8).map((each, index) => nearly[index]! * (1 + Math.sign(each) * 2 ** -23));
    for (const [kind, weights] of [
      ['', [nearly, random(8)]],
      [', where two scores differ by rounding only', [nearly, neighbours]],
    ] as const) {
      it(`do not depend on the batch size, on the place in the batch, or on what else is in it${kind}`, async () => {
        const elements = 96;
        const session = await open(await linear({ input: imageInput(8, 12), weights, biases: [0, 0] }));
        const total = 300;
        const batch = pixels(elements * total, 3);
        const alone: number[] = [];
        for (let row = 0; row < total; row += 1)
          alone.push(...(await classify(session, batch.slice(row * elements, (row + 1) * elements), 1)));
        expect(new Set(alone)).toEqual(new Set([0, 1]));
        for (const size of [2, 3, 7, 16, 64, 255, 300]) {
          const grouped: number[] = [];
          for (let row = 0; row < total; row += size) {
            const rows = Math.min(size, total - row);
            grouped.push(...(await classify(session, batch.slice(row * elements), rows)));
          }
          expect(grouped).toEqual(alone);
        }
        const reversed = new Float32Array(batch.length);
        for (let row = 0; row < total; row += 1)
          reversed.set(batch.subarray(row * elements, (row + 1) * elements), (total - 1 - row) * elements);
        expect((await classify(session, reversed, total)).toReversed()).toEqual(alone);
      });
    }

    it('are the same in another session', async () => {
      const model = await linear(THREE);
      const rows = pixels(6 * 100, 5);
      const first = await classify(await open(model), rows, 100);
      expect(await classify(await open(model), rows, 100)).toEqual(first);
    });

    it('leave the batch and the classes past the last row as they were', async () => {
      const session = await open(await linear(THREE));
      const batch = pixels(6 * 4, 6);
      const before = batch.slice();
      const classes = new Int32Array(4).fill(-7);
      await session.classify(batch, 2, classes);
      expect(batch).toEqual(before);
      expect([...classes.subarray(2)]).toEqual([-7, -7]);
    });

    it('come for a view of a larger buffer from the view alone', async () => {
      const session = await open(await linear(THREE));
      const rows = pixels(6 * 10, 8);
      expect(await classify(session, rows.subarray(6 * 4), 3)).toEqual(classesOf(THREE, rows).slice(4, 7));
    });
  });

  describe(`${name}: a model of one batch size`, () => {
    it('says so, takes fewer rows, and ignores what lies past them', async () => {
      const session = await open(await linear({ ...THREE, batch: 4 }));
      expect(session.fixedBatch).toBe(4);
      const rows = pixels(6 * 4, 2);
      const expected = classesOf(THREE, rows);
      expect(await classify(session, rows, 4)).toEqual(expected);
      rows.fill(NaN, 6 * 3);
      expect(await classify(session, rows, 3)).toEqual(expected.slice(0, 3));
      await expect(classify(session, rows, 4)).rejects.toThrow('not a finite number');
    });

    it('refuses more rows, and a batch that is not whole', async () => {
      const session = await open(await linear({ ...THREE, batch: 4 }));
      await expect(classify(session, pixels(6 * 5, 2), 5)).rejects.toThrow(RangeError);
      await expect(classify(session, pixels(6 * 3, 2), 3)).rejects.toThrow(RangeError);
    });
  });

  describe(`${name}: refusals`, () => {
    it('rejects where one row has a score that is not finite, and goes on with the next batch', async () => {
      const session = await open(await linear({ ...THREE, rejectsNegative: domainErrorsAreNaN }));
      const rows = pixels(6 * 3, 9).map((each) => each + 0.01);
      await expect(classify(session, rows, 3)).resolves.toHaveLength(3);
      for (const value of [NaN, Infinity, ...(domainErrorsAreNaN ? [-0.5] : [])]) {
        const spoilt = rows.slice();
        spoilt[7] = value;
        await expect(classify(session, spoilt, 3)).rejects.toThrow('not a finite number');
        await expect(classify(session, spoilt, 1)).resolves.toHaveLength(1);
      }
    });

    it('rejects weights that give NaN or overflow', async () => {
      for (const weight of [NaN, Infinity, 3e38]) {
        const weights = [[weight, weight], [0, 0]]; // prettier-ignore
        const session = await open(await linear({ input: imageInput(1, 2), weights, biases: [0, 0] }));
        await expect(classify(session, Float32Array.of(1, 1), 1)).rejects.toThrow('not a finite number');
      }
    });

    it('rejects no rows, more rows than values, and too few places for the classes', async () => {
      const session = await open(await linear(THREE));
      const rows = pixels(6 * 3, 2);
      await expect(classify(session, rows, 0)).rejects.toThrow(RangeError);
      await expect(classify(session, rows, 4)).rejects.toThrow(RangeError);
      await expect(classify(session, rows.subarray(1), 3)).rejects.toThrow(RangeError);
      await expect(session.classify(rows, 3, new Int32Array(2))).rejects.toThrow(RangeError);
    });

    it('refuses a model whose input or output is not that of the manifest', async () => {
      const model = await linear(THREE);
      const { manifest } = model;
      const others: VerifiedModel['manifest'][] = [
        { ...manifest, input: { ...manifest.input, height: 3 } },
        { ...manifest, input: { ...manifest.input, height: 3, width: 2 } },
        { ...manifest, input: { ...manifest.input, layout: 'NHWC' } },
        { ...manifest, input: { ...manifest.input, channels: 3, colourSpace: 'rgb' } },
        { ...manifest, output: { classes: 2, labels: ['a', 'b'] } },
        { ...manifest, output: { classes: 4, labels: ['a', 'b', 'c', 'd'] } },
      ];
      for (const other of others) {
        const fault = await domainFault(() => openSession({ ...model, manifest: other }));
        expect(fault.code).toBe('model_invalid');
        expect(fault.message).toContain('the manifest says');
      }
    });

    it('refuses a model that declares another number of scores than it gives', async () => {
      const model = await linear({ ...THREE, hidesWidth: true });
      const wide = { ...model.manifest, output: { classes: 4, labels: ['a', 'b', 'c', 'd'] } };
      // An engine finds it when it opens the model or when the first scores come.
      const used = open({ ...model, manifest: wide }).then((session) => classify(session, pixels(12, 2), 2));
      await expect(used).rejects.toThrow(/\b3\b/);
    });

    it('refuses a file that it cannot read', async () => {
      const model = await linear(THREE);
      const garbage = await readFile(fileURLToPath(import.meta.url));
      await writeFile(model.path, garbage);
      const sha256 = createHash('sha256').update(garbage).digest('hex');
      const [first, ...rest] = model.manifest.files;
      const files = [{ path: first!.path, sha256, bytes: garbage.length }, ...rest];
      const fault = await domainFault(() =>
        openSession({ ...model, manifest: { ...model.manifest, files } }),
      );
      expect(fault.code).toBe('model_invalid');
    });
  });

  describe(`${name}: a Softmax at the end`, () => {
    it('changes no class, and the description says that logits are compared', async () => {
      const rows = pixels(6 * 200, 4);
      const session = await open(await linear({ ...THREE, softmax: true }));
      expect(await classify(session, rows, 200)).toEqual(classesOf(THREE, rows));
      expect(session.description).toMatchObject({ output: 'logits before Softmax' });
    });

    it('hides no logit that is higher by less than its own rounding', async () => {
      const close = { input: imageInput(1, 1), weights: [[0], [1e-9]], biases: [0, 0] };
      const session = await open(await linear({ ...close, softmax: true }));
      expect(await classify(session, Float32Array.of(1, -1), 2)).toEqual([1, 0]);
    });
  });

  describe(`${name}: the probe of the rows`, () => {
    it('finds the same bits in every batch, for models of any batch and of one', async () => {
      for (const batch of [undefined, 1, 5]) {
        const model = await linear(batch === undefined ? THREE : { ...THREE, batch });
        const session = await openSession(model);
        onTestFinished(() => session.close());
        expect(await probeRows(session, model.manifest)).toEqual({ kind: 'exact' });
      }
    });

    if (!divides) return;
    it('finds a division by the largest value of the batch, of any batch and of one', async () => {
      for (const batch of [undefined, 5]) {
        const mixing = { ...THREE, mixesRows: true };
        const model = await linear(batch === undefined ? mixing : { ...mixing, batch });
        const session = await openSession(model);
        onTestFinished(() => session.close());
        expect(await probeRows(session, model.manifest)).toMatchObject({
          kind: 'mixed',
          how: expect.stringContaining('gives a row other scores when other rows are in its batch') as string,
        });
      }
    });
  });

  describe(`${name}: the description`, () => {
    it('names the engine, its version and what computes', async () => {
      const session = await open(await linear(THREE));
      expect(session.description).toEqual({
        name: expect.stringMatching(/./),
        version: expect.stringMatching(/^\d+\.\d+/),
        provider: expect.stringMatching(/./),
        precision: 'fp32',
      });
      expect(session.fixedBatch).toBeNull();
    });
  });
}
