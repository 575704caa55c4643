import ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { forwardPass } from '../../support/plain-network/forward-pass.ts';
import { onnxNetworkFile, readOnnxNetwork } from '../../support/plain-network/onnx-network.ts';
import { extentsOf, type PlainNetwork, sizeOf } from '../../support/plain-network/plain-network.ts';
import { roundingBound } from '../../support/plain-network/rounding-bound.ts';
import {
  readTensorflowNetwork,
  samePads,
  tensorflowNetworkFiles,
} from '../../support/plain-network/tensorflow-network.ts';

/** Values in [-½, ½) by Weyl's sequence, another part of it for each offset. */
const values = (count: number, offset: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => (((index + 1_000 * offset) * 0.618_034) % 1) - 0.5);

/** Nothing about it is square or even; the second convolution pads as TensorFlow's 'same' does, the first does not. */
const UNEVEN: PlainNetwork = {
  input: { channels: 2, height: 7, width: 5 },
  layers: [
    {
      kind: 'convolution',
      filters: 3,
      kernel: [3, 2],
      strides: [2, 1],
      pads: [1, 0, 2, 3],
      weights: values(3 * 2 * 6, 1),
      biases: values(3, 2),
      relu: true,
    },
    {
      kind: 'convolution',
      filters: 4,
      kernel: [2, 3],
      strides: [1, 2],
      pads: [0, 1, 1, 1],
      weights: values(4 * 3 * 6, 3),
      biases: values(4, 4),
      relu: false,
    },
    { kind: 'dense', units: 6, weights: values(6 * 64, 5), biases: values(6, 6), relu: true },
    { kind: 'dense', units: 3, weights: values(3 * 6, 7), biases: values(3, 8), relu: false },
  ],
};

describe('a plain network', () => {
  it('is read from an ONNX file as it was written', () => {
    expect(readOnnxNetwork(onnxNetworkFile(UNEVEN))).toEqual(UNEVEN);
  });

  it("is read from a LayersModel as it was written, with 'same' padding and with padding of its own", () => {
    const files = tensorflowNetworkFiles(UNEVEN);
    const json = Buffer.from(files['model.json']!).toString();
    expect(json).toContain('"same"');
    expect(json).toContain('ZeroPadding2D');
    expect(readTensorflowNetwork(files)).toEqual(UNEVEN);
  });

  it("has as many zeros on each side as TensorFlow's 'same' adds", () => {
    // tensorflow.org, tf.nn, "Notes on padding": 13 columns, a filter of 6, a stride of 5: one on the left, two on the right.
    const wide = { channels: 1, height: 1, width: 13 };
    expect(samePads(wide, [1, 6], [1, 5])).toEqual([0, 1, 0, 2]);
    const image = { channels: 1, height: 28, width: 28 };
    expect(samePads(image, [5, 5], [2, 2])).toEqual([1, 1, 2, 2]);
    expect(samePads(image, [3, 3], [1, 1])).toEqual([1, 1, 1, 1]);
  });

  it('has the scores of ONNX Runtime, within the bound of their roundings and not within a thousandth of it', async () => {
    const elements = sizeOf(UNEVEN.input);
    const rows = 20;
    const batch = values(rows * elements, 9);
    const session = await ort.InferenceSession.create(onnxNetworkFile(UNEVEN));
    const { channels, height, width } = UNEVEN.input;
    const image = new ort.Tensor('float32', batch, [rows, channels, height, width]);
    const scores = (await session.run({ image }))['logits']!.data as Float32Array;
    await session.release();
    let largest = 0;
    for (let row = 0; row < rows; row += 1) {
      const passes = forwardPass(UNEVEN, batch.subarray(row * elements, (row + 1) * elements));
      const exact = passes.at(-1)!.sums;
      for (const [one, other] of [
        [0, 1],
        [0, 2],
        [1, 2],
      ] as const) {
        // prettier-ignore
        const error = scores[3 * row + one]! - scores[3 * row + other]! - (exact[one]! - exact[other]!);
        largest = Math.max(largest, Math.abs(error) / roundingBound(passes, one, other));
      }
    }
    expect(largest).toBeLessThan(1);
    expect(largest).toBeGreaterThan(0.001);
  });

  it('has the extents that its strides and padding give', () => {
    const [, first, second] = extentsOf(UNEVEN);
    // (7 + 1 + 2 - 3)/2 + 1 = 4.5 -> 4 rows; 5 + 3 - 2 + 1 = 7 columns; then 4 rows and (7 + 2 - 3)/2 + 1 = 4 columns.
    expect(first).toEqual({ channels: 3, height: 4, width: 7 });
    expect(second).toEqual({ channels: 4, height: 4, width: 4 });
  });
});
