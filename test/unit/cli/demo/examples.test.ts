import { describe, expect, it } from 'vitest';
import { EXAMPLE_MODELS, exampleInputs, readExamples } from '../../../../src/cli/demo/examples.ts';
import { openModelStore } from '../../../../src/models/store.ts';
import { toInputTensor } from '../../../../src/models/inputs/input-tensor.ts';

describe.each(['mnist-cnn', 'fashion-mnist-cnn', 'fashion-mnist-tensorflow'])(
  'the examples of %s',
  (name) => {
    it('are a dozen and more images that the shipped model takes, labelled with its classes', async () => {
      const examples = await readExamples(name);
      const model = (await openModelStore(EXAMPLE_MODELS)).find(name)!;
      expect(examples.images.length).toBeGreaterThanOrEqual(12);
      for (const { bytes, label, source } of examples.images) {
        const tensor = await toInputTensor('image', bytes, model.manifest);
        expect(tensor.bytes).toHaveLength(28 * 28);
        expect(label).toBeLessThan(model.manifest.output.classes);
        expect(source).toMatch(/test set/);
      }
    });

    it('become inputs in an order that a shell gives their names, too', async () => {
      const examples = await readExamples(name);
      const inputs = exampleInputs(examples);
      const ids = inputs.map(({ id }) => id!);
      expect(ids).toEqual(ids.toSorted());
      expect(new Set(ids).size).toBe(ids.length);
      expect(Buffer.from(inputs[0]!.image!, 'base64')).toEqual(Buffer.from(examples.images[0]!.bytes));
    });
  },
);

describe('readExamples', () => {
  it.each(['resnet50', '__proto__', ''])('refuses %j and names what there is', async (name) => {
    await expect(readExamples(name)).rejects.toMatchObject({
      code: 'validation_failed',
      faults: [
        {
          pointer: '--model',
          detail: expect.stringContaining('mnist-cnn, fashion-mnist-cnn, fashion-mnist-tensorflow'),
        },
      ],
    });
  });
});
