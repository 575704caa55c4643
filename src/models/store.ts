import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DomainError } from '../errors.ts';
import type { Manifest } from './manifest.ts';
import { parseManifest } from './parse-manifest.ts';

/** A model whose manifest has been read; its files have not been opened yet. */
export interface RegisteredModel {
  readonly manifest: Manifest;
  /** SHA-256 of the manifest's bytes: it names every file's digest, so it stands for the whole model. */
  readonly digest: string;
  readonly folder: string;
}

/** A folder of the models directory that is not a valid model: reported, never silently left out. */
export interface RejectedModel {
  readonly folder: string;
  readonly error: DomainError;
}

export interface ModelStore {
  readonly models: readonly RegisteredModel[];
  readonly rejected: readonly RejectedModel[];
  /** The model of that name, or undefined. */
  find(name: string): RegisteredModel | undefined;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Reads the manifests of a models directory: each folder with a `manifest.json` is a model, but for hidden ones. Only the operator writes
 * there; models are code.
 *
 * @param names of the models that are wanted, null for all; of other folders nothing is said
 * @throws DomainError `model_invalid` where the directory cannot be read at all, or a model that is wanted is not there
 */
export async function openModelStore(
  directory: string,
  names: readonly string[] | null = null,
): Promise<ModelStore> {
  const store = await readModelStore(directory);
  if (names === null) return store;
  const missing = names.filter((name) => store.find(name) === undefined);
  if (missing.length > 0) {
    const refused = store.rejected.map(({ folder, error }) => `; ${folder} is refused: ${error.message}`).join('');
    throw new DomainError(
      'model_invalid',
      `there is no model named ${missing.join(', ')} in ${directory}; there are: ${namesOf(store)}${refused}`,
    );
  }
  return asStore(
    store.models.filter(({ manifest }) => names.includes(manifest.name)),
    [],
  );
}

function namesOf({ models }: ModelStore): string {
  return models.length === 0 ? 'none' : models.map(({ manifest }) => manifest.name).join(', ');
}

function asStore(models: readonly RegisteredModel[], rejected: readonly RejectedModel[]): ModelStore {
  return { models, rejected, find: (name) => models.find(({ manifest }) => manifest.name === name) };
}

async function readModelStore(directory: string): Promise<ModelStore> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw new DomainError('model_invalid', `the models directory ${directory} cannot be read`, [], { cause });
  });
  const models: RegisteredModel[] = [];
  const rejected: RejectedModel[] = [];
  // A link may lead to a folder, as in mounted volumes; one that does not is reported.
  for (const entry of entries
    .filter((each) => (each.isDirectory() || each.isSymbolicLink()) && !each.name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const folder = resolve(directory, entry.name);
    try {
      const bytes = await readFile(join(folder, 'manifest.json')).catch((cause: unknown) => {
        throw new DomainError('model_invalid', `${folder} has no readable manifest.json`, [], { cause });
      });
      const manifest = parseManifest(bytes.toString('utf8'));
      if (models.some((model) => model.manifest.name === manifest.name)) {
        throw new DomainError('model_invalid', `a second model is named ${manifest.name}`);
      }
      models.push({ manifest, digest: sha256(bytes), folder });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      rejected.push({ folder, error });
    }
  }
  return asStore(models, rejected);
}
