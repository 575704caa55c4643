import { createHash } from 'node:crypto';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { DomainError } from '../errors.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { inspectOnnx, staysInside } from './onnx-inspection.ts';

/** A model whose manifest has been read; its files have not been opened yet. */
export interface RegisteredModel {
  readonly manifest: Manifest;
  /** SHA-256 of the manifest's bytes: it names every file's digest, so it stands for the whole model. */
  readonly digest: string;
  readonly folder: string;
}

/** A model whose files have the digests that the manifest states. */
export interface VerifiedModel extends RegisteredModel {
  /** Absolute path of the first file, the one that the engine opens. */
  readonly path: string;
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
 * Reads the manifests of a models directory: each folder with a `manifest.json` is a model. Only the operator writes
 * there; models are code.
 *
 * @throws DomainError `model_invalid` where the directory cannot be read at all
 */
export async function openModelStore(directory: string): Promise<ModelStore> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw new DomainError('model_invalid', `the models directory ${directory} cannot be read`, [], { cause });
  });
  const models: RegisteredModel[] = [];
  const rejected: RejectedModel[] = [];
  // A link may lead to a folder, as in mounted volumes; one that does not is reported.
  for (const entry of entries
    .filter((each) => each.isDirectory() || each.isSymbolicLink())
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
  return { models, rejected, find: (name) => models.find((model) => model.manifest.name === name) };
}

/**
 * Checks a model's files before an engine may open them: digests and sizes, symbolic links out of the folder, ONNX
 * external data outside the folder or outside the manifest, and operators that draw random numbers.
 *
 * @throws DomainError `model_digest_mismatch` or `model_invalid`
 */
export async function verifyModel(model: RegisteredModel): Promise<VerifiedModel> {
  const { manifest, folder } = model;
  const root = await realpath(folder);
  for (const [index, { path, sha256: expected, bytes: size }] of manifest.files.entries()) {
    const file = join(folder, path);
    const real = await realpath(file).catch((cause: unknown) => {
      throw new DomainError('model_invalid', `${file} is missing`, [], { cause });
    });
    if (!staysInside(relative(root, real))) {
      throw new DomainError('model_invalid', `${path} leads outside the model folder`);
    }
    const bytes = await readFile(real);
    const digest = sha256(bytes);
    if (digest !== expected || bytes.length !== size) {
      const found = `${bytes.length} bytes with SHA-256 ${digest}`;
      throw new DomainError(
        'model_digest_mismatch',
        `${file} has ${found}; the manifest says ${size} bytes with ${expected}`,
      );
    }
    // The engine opens the first file whatever its name ends with.
    if (index === 0 || path.endsWith('.onnx')) refuseUnsafeOnnx(bytes, path, manifest);
  }
  return { ...model, path: join(folder, manifest.files[0]!.path) };
}

function refuseUnsafeOnnx(bytes: Uint8Array, path: string, manifest: Manifest): void {
  let inspection;
  try {
    inspection = inspectOnnx(bytes);
  } catch (cause) {
    throw new DomainError('model_invalid', `${path} is not a readable ONNX file`, [], { cause });
  }
  for (const external of inspection.externalFiles) {
    if (!staysInside(external) || !manifest.files.some((file) => file.path === external)) {
      throw new DomainError(
        'model_invalid',
        `${path} keeps weights in ${external}, which the manifest does not list`,
      );
    }
  }
  if (inspection.randomOperators.length > 0) {
    const names = inspection.randomOperators.join(', ');
    throw new DomainError('model_invalid', `${path} draws random numbers or is in training mode (${names})`);
  }
}
