import { DomainError } from '../errors.ts';
import type { BatchMixing } from './batch-mixing.ts';
import { staysInside } from './file.ts';
import { foreignBytes } from './formats/foreign.ts';
import { readOnnx } from './formats/onnx-file.ts';
import { inspectOnnx } from './formats/onnx.ts';
import { type Manifest, networkShape } from './manifest.ts';
import { onnxMixing } from './mixing/onnx/analyse.ts';

/**
 * Reads what the files of a model say of themselves, without running anything.
 *
 * @param files by path, with the digests that the manifest states
 * @returns what becomes of the rows of a batch
 * @throws DomainError `model_invalid` for a file that cannot be read, operators that draw random numbers, and weights outside
 *   the folder or outside the manifest
 */
export async function inspectModel(
  manifest: Manifest,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<BatchMixing> {
  const { path } = manifest.files[0]!;
  if (manifest.engine === 'tensorflow') {
    // Loaded where they are needed: a host of ONNX models would spend a third of its start on them.
    const { inspectTensorflow } = await import('./formats/tensorflow.ts');
    const { tensorflowMixing } = await import('./mixing/tensorflow/analyse.ts');
    const { weightFiles, randomOperators, asynchronousOperators } = inspected(
      () => inspectTensorflow(files.get(path)!, path, manifest.signature, manifest.output.name),
      (cause) => `${path} is not a readable TensorFlow model${foreignBytes(files.get(path)!)}: ${String(cause)}`,
    );
    refuseUnsafe(path, weightFiles, randomOperators, manifest);
    if (asynchronousOperators.length > 0) {
      throw new DomainError(
        'model_invalid',
        `${path} has loops, conditions, tables or results of open size (${asynchronousOperators.join(', ')}), which TensorFlow.js ` +
          'runs in no batch at once; TensorFlow does: take the SavedModel that it was made of, or export it without them',
      );
    }
    return tensorflowMixing(files, manifest);
  }
  // The engine opens the first file whatever its name ends with.
  const models = [...files].filter(([name]) => name === path || name.endsWith('.onnx'));
  const [model] = models.map(([name, bytes]) => {
    const file = inspected(
      () => readOnnx(bytes),
      () => `${name} is not a readable ONNX file${foreignBytes(bytes)}`,
    );
    const { externalFiles, randomOperators } = inspectOnnx(file);
    refuseUnsafe(name, externalFiles, randomOperators, manifest);
    return file;
  });
  return onnxMixing(model!, networkShape(manifest), manifest.output.name);
}

function inspected<T>(inspect: () => T, complaint: (cause: unknown) => string): T {
  try {
    return inspect();
  } catch (cause) {
    throw new DomainError('model_invalid', complaint(cause), [], { cause });
  }
}

function refuseUnsafe(
  path: string,
  weightFiles: readonly string[],
  randomOperators: readonly string[],
  manifest: Manifest,
): void {
  for (const external of weightFiles) {
    if (!staysInside(external) || !manifest.files.some((file) => file.path === external.replace(/^(\.\/)+/, ''))) {
      throw new DomainError(
        'model_invalid',
        `${path} keeps weights in ${external}, which the manifest's files do not name`,
      );
    }
  }
  if (randomOperators.length > 0) {
    const names = randomOperators.join(', ');
    throw new DomainError('model_invalid', `${path} draws random numbers, is in training mode or keeps a state (${names})`);
  }
}
