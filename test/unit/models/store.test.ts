import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openModelStore, type RegisteredModel } from '../../../src/models/store.ts';
import { verifyModel } from '../../../src/models/verify.ts';
import { domainFault } from '../../support/domain-fault.ts';
import { batchNormalization, linearOnnx, PRELUDES, weightBytes } from '../../support/linear-onnx.ts';
import {
  type FolderOptions,
  imageInput,
  manifestOf,
  writeLinearModel,
  writeModelFolder,
} from '../../support/model-folder.ts';
import { useTemporaryDirectory } from '../../support/temporary-directory.ts';

const directory = useTemporaryDirectory();

const LINEAR = { weights: [[1, 0, 0, 0], [0, 0, 0, 0]], biases: [0, 0.5] }; // prettier-ignore
const SHAPE = [1, 2, 2];
const MODEL = linearOnnx({ ...LINEAR, shape: SHAPE });
const OPTIONS: FolderOptions = { files: { 'model.onnx': MODEL }, input: imageInput(2, 2), classes: 2 };

let folders = 0;
/** A path for a model folder, in a models directory of its own. */
function fresh(name = 'linear'): string {
  folders += 1;
  return directory(`models-${folders}`, name);
}

async function refusal(model: RegisteredModel): Promise<{ code: string; message: string }> {
  const { code, message } = await domainFault(() => verifyModel(model));
  return { code, message };
}

describe('openModelStore', () => {
  it('reads every folder, by name, with the digest of the manifest as it stands on the disk', async () => {
    const root = directory('several');
    await writeModelFolder(directory('several', 'second'), OPTIONS);
    await writeModelFolder(directory('several', 'first'), OPTIONS);
    await writeFile(directory('several', 'manifest.schema.json'), '{}');
    const store = await openModelStore(root);
    expect(store.rejected).toEqual([]);
    expect(store.models.map(({ manifest }) => manifest.name)).toEqual(['first', 'second']);
    const bytes = await readFile(directory('several', 'first', 'manifest.json'));
    expect(store.find('first')).toEqual({
      manifest: manifestOf('first', OPTIONS),
      digest: createHash('sha256').update(bytes).digest('hex'),
      folder: directory('several', 'first'),
    });
    expect(store.find('third')).toBeUndefined();
  });

  it('with names reads only those models, and says nothing of other folders', async () => {
    const root = directory('named');
    for (const name of ['first', 'second']) await writeModelFolder(directory('named', name), OPTIONS);
    await mkdir(directory('named', 'broken'));
    const store = await openModelStore(root, ['second']);
    expect(store.models.map(({ manifest }) => manifest.name)).toEqual(['second']);
    expect(store.rejected).toEqual([]);
    expect(store.find('first')).toBeUndefined();
    const fault = await domainFault(() => openModelStore(root, ['third', 'first']));
    expect(fault.code).toBe('model_invalid');
    expect(fault.message).toContain(`no model named third in ${root}; there are: first, second`);
    expect(fault.message).toContain(`${directory('named', 'broken')} is refused`);
  });

  it('reports broken folders with the reason and keeps the others', async () => {
    const root = directory('broken');
    await writeModelFolder(directory('broken', 'good'), OPTIONS);
    await mkdir(directory('broken', 'empty'));
    for (const [name, text] of [
      ['not-json', '{'],
      ['misspelt', JSON.stringify({ ...manifestOf('misspelt', OPTIONS), sigam: 1 })],
    ] as const) {
      await mkdir(directory('broken', name));
      await writeFile(directory('broken', name, 'manifest.json'), text);
    }
    const store = await openModelStore(root);
    expect(store.models.map(({ manifest }) => manifest.name)).toEqual(['good']);
    expect(store.rejected.map(({ folder, error }) => [folder, error.code, error.message])).toEqual([
      [directory('broken', 'empty'), 'model_invalid', expect.stringContaining('no readable manifest.json')],
      [directory('broken', 'misspelt'), 'model_invalid', expect.any(String)],
      [directory('broken', 'not-json'), 'model_invalid', 'manifest.json is not JSON'],
    ]);
    expect(store.rejected[1]!.error.faults).toEqual([{ pointer: '/sigam', detail: 'is not a known field' }]);
  });

  it('keeps the first of two models of one name and reports the second', async () => {
    const root = directory('twins');
    await writeModelFolder(directory('twins', 'a-model'), OPTIONS);
    await mkdir(directory('twins', 'b-model'));
    const text = JSON.stringify(manifestOf('a-model', OPTIONS));
    await writeFile(directory('twins', 'b-model', 'manifest.json'), text);
    const store = await openModelStore(root);
    expect(store.models.map(({ folder }) => folder)).toEqual([directory('twins', 'a-model')]);
    expect(store.rejected).toEqual([
      { folder: directory('twins', 'b-model'), error: expect.objectContaining({ code: 'model_invalid' }) },
    ]);
    expect(store.rejected[0]!.error.message).toBe('a second model is named a-model');
  });

  it('follows a link to a model folder and reports a link that leads nowhere', async () => {
    const target = directory('elsewhere', 'linked');
    await writeModelFolder(target, OPTIONS);
    await mkdir(directory('links'));
    await symlink(target, directory('links', 'linked'));
    await symlink(directory('nowhere'), directory('links', 'lost'));
    const store = await openModelStore(directory('links'));
    expect(store.models.map(({ manifest }) => manifest.name)).toEqual(['linked']);
    expect(store.rejected.map(({ folder }) => folder)).toEqual([directory('links', 'lost')]);
    await expect(verifyModel(store.models[0]!)).resolves.toMatchObject({
      path: directory('links', 'linked', 'model.onnx'),
    });
  });

  it('says which directory cannot be read', async () => {
    const fault = await domainFault(() => openModelStore(directory('missing')));
    expect(fault.code).toBe('model_invalid');
    expect(fault.message).toContain(directory('missing'));
  });
});

describe('verifyModel', () => {
  it('gives the path of the first file', async () => {
    const folder = fresh();
    const files = { 'nets/model.onnx': MODEL, 'notes.txt': new Uint8Array([1]) };
    const model = await writeModelFolder(folder, { ...OPTIONS, files });
    expect(await verifyModel(model)).toMatchObject({ ...model, path: `${folder}/nets/model.onnx` });
  });

  it('refuses a file of which one bit differs', async () => {
    const folder = fresh();
    const model = await writeModelFolder(folder, OPTIONS);
    await writeFile(`${folder}/model.onnx`, MODEL.with(MODEL.length - 1, MODEL.at(-1)! ^ 1));
    const { code, message } = await refusal(model);
    expect(code).toBe('model_digest_mismatch');
    expect(message).toContain(model.manifest.files[0]!.sha256);
  });

  it('refuses a file of another size than stated, though its digest is right', async () => {
    const model = await writeModelFolder(fresh(), OPTIONS);
    const [file] = model.manifest.files;
    const manifest = { ...model.manifest, files: [{ ...file!, bytes: file!.bytes + 1 }] };
    expect((await refusal({ ...model, manifest })).code).toBe('model_digest_mismatch');
  });

  it('checks the files after the first one too', async () => {
    const folder = fresh();
    const files = { 'model.onnx': MODEL, 'labels.txt': new Uint8Array([1, 2, 3]) };
    const model = await writeModelFolder(folder, { ...OPTIONS, files });
    await writeFile(`${folder}/labels.txt`, new Uint8Array([1, 2, 4]));
    expect((await refusal(model)).code).toBe('model_digest_mismatch');
  });

  it('refuses a missing file', async () => {
    const folder = fresh();
    const model = await writeModelFolder(folder, OPTIONS);
    await rm(`${folder}/model.onnx`);
    expect(await refusal(model)).toEqual({
      code: 'model_invalid',
      message: `${folder}/model.onnx is missing`,
    });
  });

  it('refuses a symbolic link out of the folder, of the file or of a folder above it', async () => {
    const folder = fresh();
    const model = await writeModelFolder(folder, OPTIONS);
    await rename(`${folder}/model.onnx`, `${folder}-outside.onnx`);
    await symlink(`${folder}-outside.onnx`, `${folder}/model.onnx`);
    expect(await refusal(model)).toEqual({
      code: 'model_invalid',
      message: 'model.onnx leads outside the model folder',
    });

    const deep = fresh();
    const nested = await writeModelFolder(deep, { ...OPTIONS, files: { 'nets/model.onnx': MODEL } });
    await rename(`${deep}/nets`, `${deep}-nets`);
    await symlink(`${deep}-nets`, `${deep}/nets`);
    expect((await refusal(nested)).message).toBe('nets/model.onnx leads outside the model folder');
  });

  it('accepts a symbolic link that stays inside the folder', async () => {
    const folder = fresh();
    const model = await writeModelFolder(folder, OPTIONS);
    await rename(`${folder}/model.onnx`, `${folder}/real.onnx`);
    await symlink('real.onnx', `${folder}/model.onnx`);
    await expect(verifyModel(model)).resolves.toMatchObject({ path: `${folder}/model.onnx` });
  });

  it('refuses paths that climb out of the folder, whoever made the manifest', async () => {
    const folder = fresh();
    const model = await writeModelFolder(folder, OPTIONS);
    await writeFile(`${folder}.onnx`, MODEL);
    const [file] = model.manifest.files;
    const manifest = { ...model.manifest, files: [{ ...file!, path: '../linear.onnx' }] };
    expect((await refusal({ ...model, manifest })).message).toContain('leads outside the model folder');
  });

  const UNSAFE = {
    "the runtime's noise": [PRELUDES.randomNormal, 'RandomNormalLike'],
    'dropout in training': [PRELUDES.dropoutTraining, 'Dropout'],
    'batch normalisation in training': [batchNormalization(1, true), 'BatchNormalization'],
  } as const;
  for (const [name, [prelude, operator]] of Object.entries(UNSAFE)) {
    it(`refuses ${name}, whatever the file is called`, async () => {
      const model = await writeLinearModel(fresh(), { ...LINEAR, input: imageInput(2, 2), prelude });
      const found = await refusal(model);
      expect(found.code).toBe('model_invalid');
      expect(found.message).toContain(operator);
      const bytes = linearOnnx({ ...LINEAR, shape: SHAPE, prelude });
      const renamed = await writeModelFolder(fresh(), { ...OPTIONS, files: { 'model.bin': bytes } });
      expect((await refusal(renamed)).message).toContain(operator);
    });
  }

  it('refuses a model file that is no ONNX', async () => {
    const files = { 'model.onnx': new TextEncoder().encode('no model at all') };
    const model = await writeModelFolder(fresh(), { ...OPTIONS, files });
    expect(await refusal(model)).toEqual({
      code: 'model_invalid',
      message: 'model.onnx is not a readable ONNX file',
    });
  });

  describe('with external data', () => {
    const weights = weightBytes(LINEAR);
    const at = (externalWeights: string): Uint8Array =>
      linearOnnx({ ...LINEAR, shape: SHAPE, externalWeights });

    it('accepts weights in a file of the folder that the manifest lists', async () => {
      const files = { 'model.onnx': at('weights.bin'), 'weights.bin': weights };
      const model = await writeModelFolder(fresh(), { ...OPTIONS, files });
      await expect(verifyModel(model)).resolves.toMatchObject({ folder: model.folder });
    });

    it('accepts weights at ./, which is the folder', async () => {
      const files = { 'model.onnx': at('./weights.bin'), 'weights.bin': weights };
      const model = await writeModelFolder(fresh(), { ...OPTIONS, files });
      await expect(verifyModel(model)).resolves.toMatchObject({ mixing: { verdict: 'independent' } });
    });

    it('refuses weights in a file that the manifest does not list: they have no digest', async () => {
      const files = { 'model.onnx': at('weights.bin') };
      const unlisted = { 'weights.bin': weights };
      const model = await writeModelFolder(fresh(), { ...OPTIONS, files, unlisted });
      expect(await refusal(model)).toEqual({
        code: 'model_invalid',
        message: "model.onnx keeps weights in weights.bin, which the manifest's files do not name",
      });
    });

    for (const location of [
      '../weights.bin',
      '/etc/hostname',
      'a/../weights.bin',
      '*/_ORT_MEM_ADDR_/*',
    ]) {
      it(`refuses weights at ${location}`, async () => {
        const files = { 'model.onnx': at(location), 'weights.bin': weights };
        const model = await writeModelFolder(fresh(), { ...OPTIONS, files });
        const found = await refusal(model);
        expect(found.code).toBe('model_invalid');
        expect(found.message).toContain(location);
      });
    }
  });
});
