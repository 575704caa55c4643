import { join } from 'node:path';
import type { BatchMixing } from './batch-mixing.ts';
import { readModelFile } from './file.ts';
import { inspectModel } from './inspect-model.ts';
import type { RegisteredModel } from './store.ts';

/** A model whose files have the digests that the manifest states. */
export interface VerifiedModel extends RegisteredModel {
  /** Absolute path of the first file, the one that the engine opens. */
  readonly path: string;
  /** What the model file says of the rows of a batch. */
  readonly mixing: BatchMixing;
}

/**
 * Checks a model's files before an engine may open them: digests and sizes, symbolic links out of the folder, weights
 * outside the folder or outside the manifest, and operators that draw random numbers.
 *
 * @throws DomainError `model_digest_mismatch` or `model_invalid`
 */
export async function verifyModel(model: RegisteredModel): Promise<VerifiedModel> {
  const { manifest, folder } = model;
  const files = new Map<string, Uint8Array>();
  for (const file of manifest.files) files.set(file.path, await readModelFile(folder, file));
  return { ...model, path: join(folder, manifest.files[0]!.path), mixing: await inspectModel(manifest, files) };
}
