import { describe, expect, it } from 'vitest';
import { DomainError, type Fault } from '../../../../src/errors.ts';
import { type Answers, draftManifest } from '../../../../src/models/draft/draft-manifest.ts';
import type { DeclaredTensor } from '../../../../src/models/declared-tensor.ts';
import { onnxSignature } from '../../../../src/models/draft/onnx-signature.ts';
import { modelJsonSignature } from '../../../../src/models/draft/tensorflow-signature.ts';
import { parseManifest } from '../../../../src/models/parse-manifest.ts';
import { ELEMENT, onnxFile, value } from '../../../support/onnx-file.ts';

const GREY: DeclaredTensor = { name: 'image', type: 'float32', shape: [null, 1, 28, 28] };
const SCORES: DeclaredTensor = { name: 'logits', type: 'float32', shape: [null, 10] };

function draft(
  inputs: readonly DeclaredTensor[] = [GREY],
  outputs: readonly DeclaredTensor[] = [SCORES],
  answers: Partial<Answers> = {},
  madeBy: Readonly<Record<string, string>> = {},
) {
  const signature = { engine: 'onnx', format: 'ONNX', inputs, outputs, madeBy: new Map(Object.entries(madeBy)) } as const;
  const files = new Map([['model.onnx', Uint8Array.of(1, 2, 3)]]);
  return draftManifest({ files, signature }, { name: 'own', version: '1.0.0', ...answers });
}

function faultsOf(...args: Parameters<typeof draft>): readonly Fault[] {
  try {
    draft(...args);
  } catch (error) {
    if (error instanceof DomainError) return error.faults;
    throw error;
  }
  return [];
}

const questions = (...args: Parameters<typeof draft>): readonly string[] => faultsOf(...args).map(({ pointer }) => pointer);

describe('a draft', () => {
  it('of an unambiguous file asks nothing, and is a manifest', () => {
    const { manifest } = draft();
    expect(parseManifest(JSON.stringify(manifest))).toMatchObject({
      name: 'own',
      files: [{ path: 'model.onnx', bytes: 3, sha256: '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81' }],
      input: { height: 28, width: 28, channels: 1, layout: 'NCHW', colourSpace: 'grey' },
      output: { classes: 10 },
      smoothing: { trainedSigma: null },
    });
  });

  it('has the answers in it', () => {
    const colour: DeclaredTensor = { name: 'x', type: 'float32', shape: [null, 32, 24, 3] };
    const { manifest } = draft([colour], [{ ...SCORES, shape: [null, 2, 1, 1] }], {
      sigma: 0.5, labels: ['cat', 'dog'], mean: [0.1, 0.2, 0.3], std: [1, 1, 1], bgr: true, batch: 1,
    });
    expect(parseManifest(JSON.stringify(manifest))).toMatchObject({
      input: { height: 32, width: 24, channels: 3, layout: 'NHWC', colourSpace: 'bgr' },
      preprocess: { mean: [0.1, 0.2, 0.3], std: [1, 1, 1] },
      output: { classes: 2, labels: ['cat', 'dog'] },
      smoothing: { trainedSigma: 0.5 },
      batch: 1,
    });
  });

  const image = (shape: DeclaredTensor['shape']): DeclaredTensor => ({ ...GREY, shape });
  it.each([
    ['which of several inputs is the image', [GREY, { ...GREY, name: 'mask' }], [SCORES], ['--input']],
    ['which of several outputs has the scores', [GREY], [SCORES, { ...SCORES, name: 'aux' }], ['--output']],
    ['the layout where both may be', [image([null, 3, 3, 3])], [SCORES], ['--layout']],
    ['the layout where neither is', [image([null, 28, 28, 28])], [SCORES], ['--layout']],
    ['the size that is open', [image([null, 3, null, null])], [SCORES], ['--size']],
    ['which image a row of values is', [image([null, 784])], [SCORES], ['--size']],
    ['how many classes there are', [GREY], [{ ...SCORES, shape: null }], ['--classes']],
    ['how one value decides', [GREY], [{ ...SCORES, shape: [null, 1] }], ['--output-kind']],
    ['whether one row a call is meant', [image([1, 1, 28, 28])], [SCORES], ['--batch']],
    ['all at once', [image([null, null, null, 3])], [{ ...SCORES, shape: [null, 1] }], ['--size', '--output-kind']],
  ] as const)('asks %s', (_what, inputs, outputs, expected) => {
    expect(questions(inputs, outputs)).toEqual(expected);
  });

  it.each([
    [{ labels: ['a', 'b'] }, ['--labels']],
    [{ mean: [0.5] }, ['--mean']],
    [{ mean: [0.5], std: [1], range: [0, 255] as [number, number] }, ['--scale']],
    [{ mean: [1, 2, 3], std: [1, 1, 1] }, ['--mean', '--std']],
    [{ bgr: true }, ['--bgr']],
    [{ classes: 9 }, ['--classes']],
    [{ output: 'other' }, ['--output']],
    [{ outputKind: 'sigmoid' as const }, ['--output-kind']],
  ])('refuses the answer %j, which its file contradicts', (answers, expected) => {
    expect(questions([GREY], [SCORES], answers)).toEqual(expected);
  });

  it('takes the only output that may hold scores, and says so', () => {
    const { manifest, notes } = draft([GREY], [{ name: 'label', type: 'int64', shape: [null] }, SCORES]);
    expect(manifest.output).toMatchObject({ name: 'logits', classes: 10 });
    expect(notes).toContainEqual('of 2 outputs only logits holds scores');
  });

  it('of scikit-learn is to be exported without ZipMap, whichever output is asked for, and nothing else is asked of it', () => {
    // The ends as skl2onnx 1.19 writes them for a LogisticRegression where options do not turn ZipMap off.
    const scores = { tensor_type: { elem_type: ELEMENT.float } };
    const zipped = { sequence_type: { elem_type: { map_type: { key_type: ELEMENT.int64, value_type: scores } } } };
    const file = onnxFile({
      node: [{ op_type: 'Identity', input: ['image'], output: ['output_label'] }],
      input: [value('image', ['', 784])],
      output: [value('output_label', [''], ELEMENT.int64), { name: 'output_probability', type: zipped }],
    });
    const { inputs, outputs } = onnxSignature(file);
    const size = { height: 28, width: 28, channels: 1 };
    for (const output of [undefined, 'output_probability']) {
      const [fault, ...more] = faultsOf(inputs, outputs, { size, ...(output === undefined ? {} : { output }) });
      expect(fault?.detail).toMatch(/^output_probability is no tensor.*export with zipmap off \(options=\{'zipmap': False\}\)$/);
      expect(more).toEqual([]);
    }
  });

  it.each([
    [{ ...GREY, type: 'uint8' }, SCORES, '--input', 'whole pixels'],
    [GREY, { ...SCORES, type: 'float16' }, '', 'keep_io_types'],
    [GREY, { ...SCORES, type: 'int64' }, '', 'labels are no scores'],
  ])('is told what to do about a type that no engine takes: %j, %j', (input, output, pointer, words) => {
    expect(faultsOf([input], [output])).toEqual([{ pointer, detail: expect.stringContaining(words) }]);
  });

  // The ends as tensorflowjs_converter writes them for a network of three heads (human-models 3.0.4, gear.json).
  it.each(['race_output', 'Identity_2'])(
    'names an output of a GraphModel by its node, as the library does, where it is asked for as %s',
    (output) => {
      const end = (name: string, size: string) => ({ name, dtype: 'DT_FLOAT', tensorShape: { dim: [{ size: '-1' }, { size }] } }); // prettier-ignore
      const image = { name: 'input_1:0', dtype: 'DT_FLOAT', tensorShape: { dim: ['-1', '198', '198', '3'].map((size) => ({ size })) } }; // prettier-ignore
      const file = {
        format: 'graph-model',
        modelTopology: { node: [] },
        weightsManifest: [],
        signature: {
          inputs: { input_1: image },
          outputs: { race_output: end('Identity_2:0', '5'), gender_output: end('Identity_1:0', '2') },
        },
      };
      const { inputs, outputs } = modelJsonSignature(Buffer.from(JSON.stringify(file)), 'model.json');
      expect(questions(inputs, outputs)).toEqual(['--output']);
      const { manifest } = draft(inputs, outputs, { output });
      expect(manifest.output).toEqual({ classes: 5, name: 'Identity_2' });
    },
  );

  it('knows a probability by the sigmoid that makes it', () => {
    const { manifest } = draft([GREY], [{ ...SCORES, shape: [null, 1] }], {}, { logits: 'Sigmoid' });
    expect(manifest.output).toMatchObject({ kind: 'sigmoid', classes: 2 });
  });

  it('refuses a logit of what a sigmoid makes: every image would be of class 1', () => {
    const value = { ...SCORES, shape: [null, 1] };
    expect(questions([GREY], [value], { outputKind: 'logit' }, { logits: 'Sigmoid' })).toEqual(['--output-kind']);
    expect(questions([GREY], [value], { outputKind: 'logit' })).toEqual([]);
  });

  it('takes a row of values for the image that it is said to be', () => {
    const { manifest } = draft([image([null, 12])], [SCORES], {
      size: { height: 2, width: 2, channels: 3 }, layout: 'NHWC',
    });
    expect(manifest.input).toMatchObject({ flat: true, height: 2, width: 2, channels: 3, layout: 'NHWC' });
  });
});
