import ort from 'onnxruntime-node';
import { DomainError } from '../../errors.ts';
import { readModelFile } from '../../models/file.ts';
import type { VerifiedModel } from '../../models/store.ts';
import { missingPart, type OnnxProvider } from './providers.ts';

export type OnnxOptions = ort.InferenceSession.SessionOptions;

/**
 * Opens an ONNX file on one thread of the host's processors: a lane is the unit of parallelism. The runtime gets the bytes of
 * all files, whose digests are checked on the way: what was verified is what runs, even where the files are replaced
 * meanwhile.
 *
 * @throws DomainError as `onnxFault` says, and for files that differ from the manifest
 */
export async function createOnnxSession(
  { path, folder, manifest }: VerifiedModel,
  options: OnnxOptions,
  providers: readonly OnnxProvider[],
): Promise<ort.InferenceSession> {
  const files = await Promise.all(manifest.files.map((file) => readModelFile(folder, file)));
  const [bytes, ...weights] = files;
  const externalData = weights.map((data, index) => ({ path: manifest.files[1 + index]!.path, data }));
  return ort.InferenceSession.create(bytes!, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Warnings and above would be written to stderr by native code, past the logger.
    logSeverityLevel: 3,
    ...options,
    ...(externalData.length === 0 ? {} : { externalData }),
  }).catch((cause: unknown) => {
    throw onnxFault(cause, path, providers);
  });
}

/** `device_unavailable` where a provider or its device is the cause, `model_invalid` otherwise. */
export function onnxFault(cause: unknown, path: string, providers: readonly OnnxProvider[]): DomainError {
  const missing = missingPart(cause, providers);
  return missing === null
    ? new DomainError('model_invalid', `${path} is refused by ONNX Runtime: ${String(cause)}`, [], { cause })
    : new DomainError(
        'device_unavailable',
        `ONNX Runtime cannot compute on ${providers[0]}: ${missing}; docs/gpu.md says what to install`,
        [],
        { cause },
      );
}
