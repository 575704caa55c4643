import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/models/manifest.ts';
import { ROOT, runCommand } from '../support/command-line.ts';
import { linearOnnx } from '../support/linear-onnx.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';

const at = useTemporaryDirectory();
const manifestOf = async (...path: string[]): Promise<Manifest> =>
  JSON.parse(await readFile(at(...path, 'manifest.json'), 'utf8')) as Manifest;

describe('models add', () => {
  it('makes a model of a file, which then certifies', async () => {
    const added = await runCommand([
      ...'models add models/mnist-cnn/model.onnx --name own --sigma 0.5 --images examples/mnist --models'.split(
        ' ',
      ),
      at('shelf'),
    ]);
    expect(added.status, added.stderr).toBe(0);
    expect(added.stdout).toMatch(
      /^ONNX, opset \d+: input image \(float32 \[\?, 1, 28, 28\]\), output logits/,
    );
    expect(added.stdout).toMatch(/accuracy on 21 images, nearly without noise: (9\d|100)\.\d%/);
    expect(await readdir(at('shelf'))).toEqual(['own']);
    const certified = await runCommand([
      'certify',
      join(ROOT, 'examples/mnist/00000.png'),
      '--n',
      '1000',
      '--models',
      at('shelf'),
    ]);
    expect(certified.status, certified.stderr).toBe(0);
    expect(certified.stdout).toMatch(/│ 7 +│ 1\.2316 │/);
    const again = await runCommand([
      'models',
      'add',
      'models/mnist-cnn/model.onnx',
      '--name',
      'own',
      '--models',
      at('shelf'),
    ]);
    expect(again.status).toBe(2);
    expect(again.stderr).toContain('is there already');
  });

  it('finds by labelled images that a network takes pixels from 0 to 255, and says so', async () => {
    await mkdir(at('source'), { recursive: true });
    // Bright where the mean of four pixels is above 128 of 255.
    const weights = [[-1, -1, -1, -1], [1, 1, 1, 1]]; // prettier-ignore
    await writeFile(
      at('source', 'brightness.onnx'),
      linearOnnx({ weights, biases: [512, -512], shape: [1, 2, 2] }),
    );
    for (const [label, value] of [
      ['dark', 60],
      ['bright', 200],
    ] as const) {
      // prettier-ignore
      await mkdir(at('images', label), { recursive: true });
      for (const shift of [0, 10, 20]) {
        const pixels = new Uint8Array(4).fill(value + shift);
        const image = sharp(pixels, { raw: { width: 2, height: 2, channels: 1 } }).toColourspace('b-w');
        await image.png().toFile(at('images', label, `${shift}.png`));
      }
    }
    await writeFile(at('source', 'names.txt'), 'dark\nbright\n');
    const { status, stdout, stderr } = await runCommand([
      'models',
      'add',
      at('source', 'brightness.onnx'),
      '--labels',
      at('source', 'names.txt'),
      '--images',
      at('images'),
      '--models',
      at('shelf'),
    ]);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('100.0%  --scale 0,255');
    expect(stdout).toContain('taken: --scale 0,255');
    expect((await manifestOf('shelf', 'brightness')).input).toMatchObject({ range: [0, 255] });
  });

  it('leaves nothing behind of a model that is refused, and says why in the words of the command', async () => {
    await mkdir(at('source'), { recursive: true });
    const weights = [[1, 0], [0, 1]]; // prettier-ignore
    const mixing = linearOnnx({
      weights,
      biases: [0, 0],
      shape: [1, 1, 2],
      prelude: {
        nodes: [
          { op_type: 'ReduceMax', input: ['image'], output: ['most'] },
          { op_type: 'Div', input: ['image', 'most'], output: ['prepared'] },
        ],
        initializers: [],
      },
    });
    await writeFile(at('source', 'mixing.onnx'), mixing);
    const { status, stderr } = await runCommand([
      'models',
      'add',
      at('source', 'mixing.onnx'),
      '--models',
      at('empty'),
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('smoothcert: mixing.onnx mixes the rows of a batch: ReduceMax');
    expect(stderr).toContain('--batch 1');
    expect(await readdir(at('empty'))).toEqual([]);
  });
});

describe('models check', () => {
  it('opens a model as a worker does, and says what it found', async () => {
    const { status, stdout, stderr } = await runCommand(
      'models check mnist-cnn --images examples/mnist'.split(' '),
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(
      /^mnist-cnn: opened in onnxruntime-node \S+ on cpu: batches of \d+, [\d,]+ samples\/s$/m,
    );
    expect(stdout).toMatch(/^mnist-cnn: rows: its graph shows that the rows of a batch stay apart/m);
    expect(stdout).toMatch(/^mnist-cnn: under noise of sigma 0\.5: 9\d\.\d%$/m);
  });
});
