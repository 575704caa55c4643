import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { collectFiles } from '../../../../src/models/draft/collect-files.ts';
import { domainFault } from '../../../support/domain-fault.ts';
import { useTemporaryDirectory } from '../../../support/temporary-directory.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const at = useTemporaryDirectory();

describe('the files of a model', () => {
  it('are found for an ONNX file, with what it says of its ends', async () => {
    const { files, signature } = await collectFiles(join(ROOT, 'models/mnist-cnn/model.onnx'));
    expect([...files.keys()]).toEqual(['model.onnx']);
    expect(signature).toMatchObject({
      engine: 'onnx',
      inputs: [{ name: 'image', type: 'float32', shape: [null, 1, 28, 28] }],
      outputs: [{ name: 'logits', type: 'float32', shape: [null, 10] }],
    });
    expect(signature.format).toMatch(/^ONNX, opset \d+$/);
  });

  it('are found for a model.json, weights included', async () => {
    const { files, signature } = await collectFiles(join(ROOT, 'models/fashion-mnist-tensorflow'));
    expect([...files.keys()][0]).toBe('model.json');
    expect(files.size).toBeGreaterThan(1);
    expect(signature).toMatchObject({
      engine: 'tensorflow',
      inputs: [{ type: 'float32', shape: [null, 28, 28, 1] }],
      outputs: [{ shape: [null, 10] }],
    });
  });

  it('are found for a model.json of another name, and have the usual one then', async () => {
    const shipped = join(ROOT, 'models/fashion-mnist-tensorflow');
    await cp(join(shipped, 'model.json'), at('renamed', 'fashion.json'));
    await cp(join(shipped, 'weights.bin'), at('renamed', 'weights.bin'));
    const { files } = await collectFiles(at('renamed', 'fashion.json'));
    expect([...files.keys()]).toEqual(['model.json', 'weights.bin']);
  });

  it('are found for a SavedModel, variables included', async () => {
    const { files, signature } = await collectFiles(join(ROOT, 'test/fixtures/tensorflow/variables'));
    expect([...files.keys()]).toEqual(expect.arrayContaining(['saved_model.pb', 'variables/variables.index']));
    expect(signature.engine).toBe('tensorflow');
    expect(signature.inputs[0]!.type).toBe('float32');
  });

  it.each([
    ['model.h5', 'model.export(FOLDER)'],
    ['net.pt', 'torch.onnx.export'],
    ['net.tflite', 'tf2onnx'],
  ])('of another framework, %s, name the way to one that is read', async (name, way) => {
    await mkdir(at('foreign'), { recursive: true });
    await writeFile(at('foreign', name), 'x');
    const fault = await domainFault(() => collectFiles(at('foreign', name)));
    expect(fault.code).toBe('model_invalid');
    expect(fault.message).toContain(way);
  });

  it('are not guessed where a folder has several, none, or broken ones', async () => {
    await mkdir(at('several'), { recursive: true });
    for (const name of ['a.onnx', 'b.onnx']) await cp(join(ROOT, 'models/mnist-cnn/model.onnx'), at('several', name));
    expect((await domainFault(() => collectFiles(at('several')))).message).toContain('a.onnx, b.onnx');
    await mkdir(at('none'), { recursive: true });
    expect((await domainFault(() => collectFiles(at('none')))).message).toContain('no saved_model.pb, no model.json and no ONNX file');
    await writeFile(at('none', 'broken.onnx'), 'not a model');
    expect((await domainFault(() => collectFiles(at('none')))).message).toContain('is no readable ONNX file');
    expect((await domainFault(() => collectFiles(at('nowhere')))).message).toContain('is not there');
  });
});
