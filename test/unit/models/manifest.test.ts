import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { ManifestSchema } from '../../../src/models/manifest-schema.ts';
import { inputElements, inputShape, type Manifest, networkShape, normalisationOf, outputWidth } from '../../../src/models/manifest.ts';
import { parseManifest } from '../../../src/models/parse-manifest.ts';
import { domainFault } from '../../support/domain-fault.ts';
import { imageInput, manifestOf } from '../../support/model-folder.ts';

const VALID: Manifest = manifestOf('a-model', {
  files: { 'model.onnx': new Uint8Array([1]) },
  input: imageInput(2, 3, 3, 'NHWC'),
  classes: 2,
  preprocess: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
  trainedSigma: 0.25,
});
const FILE = VALID.files[0]!;

type Change = (manifest: Record<string, unknown>) => void;

/** The manifest after a change that its type would not allow. */
function changed(change: Change): unknown {
  const copy = structuredClone(VALID) as unknown as Record<string, unknown>;
  change(copy);
  return copy;
}

async function pointers(value: unknown): Promise<string[]> {
  const fault = await domainFault(() => parseManifest(JSON.stringify(value)));
  expect(fault.code).toBe('model_invalid');
  return fault.faults.map(({ pointer }) => pointer);
}

const set =
  (path: string, value: unknown): Change =>
  (manifest) => {
    const names = path.split('/').slice(1);
    const last = names.pop()!;
    let at = manifest;
    for (const name of names) at = at[name] as Record<string, unknown>;
    at[last] = value;
  };

/** What no manifest may say, by the pointer to it. */
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  '/manifestVersion': [0, 2, '1', null],
  '/name': ['', 'Upper', 'under_score', '-dash', '../up', 'a/b', 'a'.repeat(64), 'ümlaut', 'a\n', 7],
  '/version': ['1', '1.0', 'v1.0.0', '1.0.0-rc', '1.0.0\n', ''],
  '/description': ['x'.repeat(2001), 5],
  '/license': ['x'.repeat(201)],
  '/engine': ['torch', 'ONNX', null],
  '/files': [[], {}, Array.from({ length: 65 }).fill(FILE)],
  '/files/0/path': [
    '',
    '/etc/passwd',
    'a\\b',
    '.hidden',
    '-rf',
    'a b',
    'x'.repeat(201),
    'a\0',
    'model.onnx\n',
  ],
  '/files/0/sha256': ['', 'A'.repeat(64), 'a'.repeat(63), 'a'.repeat(65), `${'a'.repeat(64)}\n`],
  '/files/0/bytes': [0, -1, 1.5, '1', null],
  '/input/height': [0, -1, 4097, 1.5, '28', null],
  '/input/width': [0, 4097, 2.5],
  '/input/channels': [0, 2, 4, '3'],
  '/input/layout': ['nchw', 'CHW', null],
  '/input/flat': [1, 'yes', null],
  '/input/colourSpace': ['gray', 'RGB', null],
  '/input/range': [[], [0], [0, 1, 2], ['0', 1], 255, null],
  '/input/name': ['', 'x'.repeat(501), 7],
  '/signature': ['', 7],
  '/preprocess/mean': [[], [0, 0, 0, 0], ['0'], 0.5],
  '/preprocess/std': [[0, 1, 1], [-1, 1, 1], []],
  '/output/classes': [0, 1, 65_537, 2.5],
  '/output/labels': [['only'], ['', 'b'], ['x'.repeat(201), 'b'], [1, 2]],
  '/output/name': ['', 'x'.repeat(501), 7],
  '/output/kind': ['softmax', 'probability', null],
  '/smoothing/trainedSigma': [-0.1, '0.25'],
};

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  '': ['manifestVersion', 'name', 'version', 'engine', 'files', 'input', 'output', 'smoothing'],
  '/files/0': ['path', 'sha256', 'bytes'],
  '/input': ['height', 'width', 'channels', 'layout', 'colourSpace'],
  '/preprocess': ['mean', 'std'],
  '/output': ['classes'],
  '/smoothing': ['trainedSigma'],
};

describe('parseManifest', () => {
  it('gives back what it read, and leaves optional fields out', () => {
    expect(parseManifest(JSON.stringify(VALID))).toEqual(VALID);
    const { preprocess: _, ...bare } = VALID;
    expect(parseManifest(JSON.stringify(bare))).toEqual(bare);
    const untrained = { ...VALID, description: 'text', license: 'MIT', smoothing: { trainedSigma: null } };
    expect(parseManifest(JSON.stringify(untrained))).toEqual(untrained);
  });

  for (const name of ['mnist-cnn', 'fashion-mnist-cnn']) {
    it(`reads the manifest of the shipped ${name}`, () => {
      const file = new URL(`../../../models/${name}/manifest.json`, import.meta.url);
      expect(parseManifest(readFileSync(file, 'utf8')).name).toBe(name);
    });
  }

  for (const [pointer, values] of Object.entries(WRONG)) {
    it(`refuses wrong values of ${pointer}`, async () => {
      for (const value of values) {
        const found = await pointers(changed(set(pointer, value)));
        expect(found.length, JSON.stringify(value)).toBeGreaterThan(0);
        expect(found.every((each) => each === pointer || each.startsWith(`${pointer}/`))).toBe(true);
      }
    });
  }

  for (const [parent, names] of Object.entries(FIELDS)) {
    it(`refuses ${parent === '' ? 'a manifest' : parent} without one of its fields, and with another`, async () => {
      for (const name of names) {
        const missing = changed((manifest) => {
          let at = manifest;
          for (const part of parent.split('/').slice(1)) at = at[part] as Record<string, unknown>;
          delete at[name];
        });
        expect(await pointers(missing)).toEqual([`${parent}/${name}`]);
      }
      expect(await pointers(changed(set(`${parent}/sigam`, 1)))).toEqual([`${parent}/sigam`]);
    });
  }

  it('reports every fault at once', async () => {
    const several = changed((manifest) => {
      for (const [pointer, values] of Object.entries(WRONG)) {
        if (pointer !== '/files') set(pointer, values[0])(manifest);
      }
      manifest['extra'] = true;
    });
    const found = await pointers(several);
    for (const pointer of Object.keys(WRONG).filter((each) => each !== '/files'))
      expect(
        found.some((each) => each === pointer || each.startsWith(`${pointer}/`)),
        pointer,
      ).toBe(true);
    expect(found).toContain('/extra');
  });

  it('refuses what is no JSON object', async () => {
    for (const text of ['', '{', 'null', '[]', '7', '"manifest"', `﻿${JSON.stringify(VALID)}`]) {
      expect((await domainFault(() => parseManifest(text))).code).toBe('model_invalid');
    }
    expect((await domainFault(() => parseManifest('{'))).message).toBe('manifest.json is not JSON');
  });

  it('refuses fields that contradict each other, all at once', async () => {
    const contradictory = changed((manifest) => {
      set('/input/channels', 1)(manifest);
      set('/output/classes', 3)(manifest);
      set('/preprocess/mean', [0, 0])(manifest);
      set('/files/0/path', 'a/../../b')(manifest);
    });
    expect(await pointers(contradictory)).toEqual([
      '/input/colourSpace',
      '/output/labels',
      '/preprocess/mean',
      '/preprocess/std',
      '/files/0/path',
    ]);
    expect(await pointers(changed(set('/input/colourSpace', 'grey')))).toEqual(['/input/colourSpace']);
  });

  it('refuses paths with parts that are empty, "." or ".."', async () => {
    for (const path of ['a/..', 'a/../b', 'a//b', 'a/', 'a/./b', 'a/../../etc/passwd'])
      expect(await pointers(changed(set('/files/0/path', path))), path).toEqual(['/files/0/path']);
    for (const path of ['model.onnx', 'nets/v1/model.onnx', 'a..b/c', '_x-1.bin'])
      expect(parseManifest(JSON.stringify(changed(set('/files/0/path', path)))).files[0]!.path).toBe(path);
  });

  it('refuses an input that is larger than the noise kernel takes', async () => {
    const sized = (height: number, width: number) =>
      changed((manifest) => {
        set('/input/height', height)(manifest);
        set('/input/width', width)(manifest);
      });
    expect(await pointers(sized(4096, 4096))).toEqual(['/input']);
    expect(await pointers(sized(1366, 1024))).toEqual(['/input']);
    expect(inputElements(parseManifest(JSON.stringify(sized(1365, 1024))))).toBe(4_193_280);
  });
});

describe('what a manifest may leave out', () => {
  it('labels: then the classes are called by their numbers', () => {
    const { labels: _, ...output } = VALID.output;
    expect(parseManifest(JSON.stringify({ ...VALID, output: { ...output, classes: 3 } })).output).toEqual({ classes: 3, labels: ['0', '1', '2'] }); // prettier-ignore
  });

  it('what pixels become: then they are i/255', () => {
    const { preprocess: _, ...bare } = VALID;
    expect(normalisationOf(bare)).toBeNull();
  });
});

describe('what a manifest may say of the network', () => {
  const { preprocess: _, ...BARE } = VALID;

  it('the values of black and white, as a mean and a deviation by channel', () => {
    const ranged = (range: number[]) => normalisationOf(parseManifest(JSON.stringify({ ...BARE, input: { ...BARE.input, range } }))); // prettier-ignore
    expect(ranged([0, 1])).toEqual({ mean: [-0, -0, -0], std: [1, 1, 1] });
    expect(ranged([-1, 1])).toEqual({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
    const { std } = ranged([0, 255])!;
    for (const each of std) expect(255 * each).toBe(1);
    expect(normalisationOf(VALID)).toEqual(VALID.preprocess);
  });

  it('a range or a normalisation, not both, and black is not white', async () => {
    const both = changed(set('/input/range', [0, 255]));
    expect(await pointers(both)).toEqual(['/input/range']);
    expect(await pointers({ ...BARE, input: { ...BARE.input, range: [3, 3] } })).toEqual(['/input/range']);
  });

  it('blue before red', async () => {
    const bgr = changed(set('/input/colourSpace', 'bgr'));
    expect(parseManifest(JSON.stringify(bgr)).input.colourSpace).toBe('bgr');
    const grey = { ...BARE, input: { ...imageInput(2, 3, 1), colourSpace: 'bgr' } };
    expect(await pointers(grey)).toEqual(['/input/colourSpace']);
  });

  it('that it takes flat rows, of as many values', () => {
    const input = { ...imageInput(4, 5, 3, 'NHWC'), flat: true };
    expect(networkShape({ input })).toEqual([60]);
    expect(networkShape({ input: { ...input, flat: false } })).toEqual([4, 5, 3]);
  });

  it('one value a row, which decides between two classes and no more', async () => {
    for (const kind of ['sigmoid', 'logit']) {
      const manifest = parseManifest(JSON.stringify(changed(set('/output/kind', kind))));
      expect(outputWidth(manifest)).toBe(1);
      const three = { ...BARE, output: { classes: 3, kind } };
      expect(await pointers(three)).toEqual(['/output/classes']);
    }
    expect(outputWidth(VALID)).toBe(2);
  });

  it('a signature, of a SavedModel alone', async () => {
    expect(await pointers(changed(set('/signature', 'serve')))).toEqual(['/signature']);
    const saved = { ...BARE, engine: 'tensorflow', files: [{ ...FILE, path: 'saved_model.pb' }], signature: 'serve' };
    expect(parseManifest(JSON.stringify(saved)).signature).toBe('serve');
  });

  it.each([
    ['network.h5', 'Keras'],
    ['network.keras', 'Keras'],
    ['network.pt', 'torch.onnx.export'],
    ['network.PTH', 'torch.onnx.export'],
    ['network.tflite', 'tf2onnx'],
    ['network.safetensors', 'without a network'],
    ['network.pkl', 'skl2onnx'],
  ])('no file like %s, and then the way to one that is read', async (path, words) => {
    for (const engine of ['onnx', 'tensorflow']) {
      const text = JSON.stringify({ ...BARE, engine, files: [{ ...FILE, path }] });
      const { faults } = await domainFault(() => parseManifest(text));
      expect(faults.map(({ pointer }) => pointer)).toEqual(['/files/0/path']);
      expect(faults[0]!.detail).toContain(words);
    }
  });
});

describe('the shape of the input', () => {
  it('is in the order of the layout', () => {
    expect(inputShape(VALID)).toEqual([2, 3, 3]);
    expect(inputShape({ ...VALID, input: imageInput(28, 14, 1, 'NCHW') })).toEqual([1, 28, 14]);
    expect(inputShape({ ...VALID, input: imageInput(28, 14, 3, 'NCHW') })).toEqual([3, 28, 14]);
    expect(inputElements({ ...VALID, input: imageInput(28, 14, 3, 'NCHW') })).toBe(1176);
  });
});

describe('the published schema', () => {
  const text = readFileSync(new URL('../../../models/manifest.schema.json', import.meta.url), 'utf8');
  const schema = JSON.parse(text) as object;

  it('is the one that manifests are checked with; if not, run scripts/write-manifest-schema.mjs', () => {
    expect(schema).toEqual(JSON.parse(JSON.stringify(ManifestSchema)));
  });

  it('is valid by its own standard and judges as the service does, but for rules between fields', () => {
    const validate = new Ajv2020({ strict: true }).compile(schema);
    expect(validate(VALID)).toBe(true);
    for (const [pointer, values] of Object.entries(WRONG)) {
      for (const value of values)
        expect(validate(changed(set(pointer, value))), `${pointer}: ${JSON.stringify(value)}`).toBe(false);
    }
    for (const parent of Object.keys(FIELDS))
      expect(validate(changed(set(`${parent}/sigam`, 1)))).toBe(false);
  });
});
