import { describe, expect, it } from 'vitest';
import { requireScores, requireSignature } from '../../../src/engines/signature.ts';
import type { DeclaredTensor } from '../../../src/models/declared-tensor.ts';
import type { Manifest } from '../../../src/models/manifest.ts';
import type { VerifiedModel } from '../../../src/models/verify.ts';
import { domainFault } from '../../support/domain-fault.ts';
import { imageInput, manifestOf } from '../../support/model-folder.ts';

type Output = Partial<Manifest['output']>;

function model(output: Output = {}, input: Partial<Manifest['input']> = {}, classes = 10): VerifiedModel {
  const manifest = manifestOf('model', {
    files: {},
    input: { ...imageInput(8, 6), ...input },
    classes,
    output,
  });
  return { manifest, path: 'model.onnx' } as VerifiedModel;
}

const tensor = (name: string, shape: DeclaredTensor['shape'], type = 'float32'): DeclaredTensor => ({ name, type, shape }); // prettier-ignore
const IMAGE = tensor('image', [null, 1, 8, 6]);
const SCORES = tensor('scores', [null, 10]);

async function refusal(
  stated: VerifiedModel,
  inputs: readonly DeclaredTensor[],
  outputs: readonly DeclaredTensor[],
): Promise<string> {
  const fault = await domainFault(() => requireSignature(stated, inputs, outputs));
  expect(fault.code).toBe('model_invalid');
  return fault.message.replace('model.onnx: ', '');
}

describe('the output that is certified', () => {
  const auxiliary = tensor('auxiliary', [null, 10]);

  it('is the only one, or the one that the manifest names, be it the first or not', () => {
    expect(requireSignature(model(), [IMAGE], [SCORES]).output).toBe(SCORES);
    expect(requireSignature(model({ name: 'scores' }), [IMAGE], [auxiliary, SCORES]).output).toBe(SCORES);
    expect(requireSignature(model({ name: 'auxiliary' }), [IMAGE], [auxiliary, SCORES]).output).toBe(
      auxiliary,
    );
  });

  it('is never chosen: several are refused with what they are', async () => {
    expect(await refusal(model(), [IMAGE], [auxiliary, tensor('label', [null], 'int64')])).toBe(
      "it has 2 outputs, auxiliary (float32 [?, 10]), label (int64 [?]); the manifest's output.name says which is certified",
    );
  });

  it('is there: a wrong name is refused with those that there are', async () => {
    expect(await refusal(model({ name: 'score' }), [IMAGE], [SCORES])).toBe(
      "it has no output score, which the manifest's output.name says; it has scores (float32 [?, 10])",
    );
  });

  it.each<[DeclaredTensor['shape']]>([
    [[null, 10]], [[4, 10]], [[null, 10, 1, 1]], [[null, 1, 1, 10]], [[null, null]], [[null, null, 1, 1]], [null],
  ])('may have shape %j: one score a class along one axis', (shape) => {
    expect(requireSignature(model(), [IMAGE], [tensor('scores', shape)]).output.shape).toBe(shape);
  }); // prettier-ignore

  it.each<[DeclaredTensor['shape']]>([[[null, 9]], [[null, 10, 10]], [[null, 2, 5]], [[null, 1, 1]], [[null]], [[10]]])(
    'may not have shape %j',
    async (shape) => {
      expect(await refusal(model(), [IMAGE], [tensor('scores', shape)])).toContain('the manifest says [batch, 10]');
    },
  ); // prettier-ignore

  it('of one value a row is refused where the manifest does not say how it decides', async () => {
    const two = model({}, {}, 2);
    for (const shape of [[null], [null, 1], [null, 1, 1, 1]])
      expect(await refusal(two, [IMAGE], [tensor('s', shape)])).toContain('"sigmoid" or "logit"');
    for (const kind of ['sigmoid', 'logit'] as const) {
      const stated = model({ kind }, {}, 2);
      for (const shape of [[null], [null, 1], [null, 1, 1, 1], [null, null], null])
        expect(requireSignature(stated, [IMAGE], [tensor('s', shape)]).output.name).toBe('s');
      expect(await refusal(stated, [IMAGE], [tensor('s', [null, 2])])).toContain('[batch, 1]');
    }
  });

  it.each([
    ['float16', 'keep_io_types'],
    ['float64', 'float32'],
    ['int64', 'labels are no scores'],
    ['', 'zipmap'],
  ])('of type "%s" is refused with what to do', async (type, words) => {
    expect(await refusal(model(), [IMAGE], [{ ...SCORES, type }])).toContain(words);
  });
});

describe('the input', () => {
  it('is one: others are refused with their names, and so is a wrong one', async () => {
    const mask = tensor('mask', [null, 8]);
    for (const name of [undefined, 'image'] as const) {
      const words = await refusal(model({}, name === undefined ? {} : { name }), [IMAGE, mask], [SCORES]);
      expect(words).toBe(
        'it takes 2 inputs, image (float32 [?, 1, 8, 6]), mask (float32 [?, 8]); one is given: make the others constants of the file',
      );
    }
    expect(await refusal(model({}, { name: 'x' }), [IMAGE], [SCORES])).toContain('it has no input x');
    expect(requireSignature(model({}, { name: 'image' }), [IMAGE], [SCORES]).input).toBe(IMAGE);
  });

  it('has its batch fixed where the file fixes it', () => {
    expect(requireSignature(model(), [IMAGE], [SCORES]).fixedBatch).toBeNull();
    expect(requireSignature(model(), [tensor('image', [4, 1, 8, 6])], [SCORES]).fixedBatch).toBe(4);
  });

  it('of one row a call is refused with the cure, but where the manifest says so', async () => {
    const single = tensor('image', [1, 1, 8, 6]);
    expect(await refusal(model(), [single], [SCORES])).toContain('dynamic_axes={"image": {0: "batch"}}');
    const stated = model();
    const slow = { ...stated, manifest: { ...stated.manifest, batch: 1 } };
    expect(requireSignature(slow, [single], [SCORES]).fixedBatch).toBe(1);
  });

  it('may be flat where the manifest says so, and is not taken for it where it does not', async () => {
    const flat = tensor('image', [null, 48]);
    expect(requireSignature(model({}, { flat: true }), [flat], [SCORES]).input).toBe(flat);
    expect(await refusal(model(), [flat], [SCORES])).toContain('"flat": true');
    expect(await refusal(model({}, { flat: true }), [IMAGE], [SCORES])).toContain(
      'the manifest says [batch, 48]',
    );
  });

  it('in the other layout is refused with a hint', async () => {
    const turned = tensor('image', [null, 8, 6, 1]);
    expect(await refusal(model(), [turned], [SCORES])).toBe(
      "image has shape [?, 8, 6, 1]; the manifest says [batch, 1, 8, 6]; is the manifest's input.layout the other one?",
    );
  });

  it.each([
    ['float16', 'keep_io_types'],
    ['uint8', 'whole pixels'],
    ['float64', 'export it in float32'],
    ['int32', 'float32 is expected'],
  ])('of type %s is refused with what to do', async (type, words) => {
    expect(await refusal(model(), [{ ...IMAGE, type }], [SCORES])).toContain(words);
  });
});

describe('what the network answers', () => {
  it('is one score a class and row, whatever axes of one place stand beside', () => {
    for (const shape of [[3, 10], [3, 10, 1, 1], [3, 1, 10]]) expect(() => requireScores(shape, 3, model())).not.toThrow();
    for (const shape of [[3], [10, 3], [4, 10], [3, 9], [3, 10, 2], [30]]) expect(() => requireScores(shape, 3, model())).toThrow(RangeError);
  }); // prettier-ignore

  it('is one value a row where that decides', () => {
    const binary = model({ kind: 'sigmoid' }, {}, 2);
    for (const shape of [[3], [3, 1], [3, 1, 1, 1]])
      expect(() => requireScores(shape, 3, binary)).not.toThrow();
    for (const shape of [[], [1, 3], [3, 2], [4]])
      expect(() => requireScores(shape, 3, binary)).toThrow(RangeError);
  });
});
