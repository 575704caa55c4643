import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import type { Manifest } from '../../src/models/manifest.ts';
import { parseManifest } from '../../src/models/parse-manifest.ts';
import type { Recipe } from './recipe.ts';

/** What TensorFlow.js writes; the first is the one that is opened. */
const FILES = ['model.json', 'weights.bin'];

/**
 * Writes a network as a model folder: TensorFlow.js's own two files, and the manifest with their digests.
 *
 * @throws Error where the files cannot be written
 */
export async function exportModel(
  network: LayersModel,
  directory: string,
  recipe: Pick<Recipe, 'name' | 'version' | 'description' | 'labels' | 'sigma'>,
): Promise<Manifest> {
  await mkdir(directory, { recursive: true });
  // TensorFlow.js takes what follows for a path: a URL's escapes would become part of names.
  await network.save(`file://${resolve(directory)}`);
  const files = await Promise.all(
    FILES.map(async (path) => {
      const bytes = await readFile(join(directory, path));
      return { path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
    }),
  );
  const [, height, width] = network.inputs[0]!.shape as [null, number, number];
  const manifest: Manifest = {
    manifestVersion: 1,
    name: recipe.name,
    version: recipe.version,
    description: recipe.description,
    license: 'Apache-2.0',
    engine: 'tensorflow',
    files,
    input: { height, width, channels: 1, layout: 'NHWC', colourSpace: 'grey' },
    output: { classes: recipe.labels.length, labels: [...recipe.labels] },
    smoothing: { trainedSigma: recipe.sigma },
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeFile(join(directory, 'manifest.json'), text);
  return parseManifest(text);
}
