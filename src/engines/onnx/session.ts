import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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
  const files = await Promise.all(
    manifest.files.map(async (file) => ({ path: file.path, data: await readModelFile(folder, file) })),
  );
  const [model, ...weights] = files;
  const all = {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Warnings and above would be written to stderr by native code, past the logger.
    logSeverityLevel: 3,
    ...options,
  } as const;
  // Of weights in memory the runtime drops a "./" before their names, but looks for them as the model writes it.
  const dotted = weights.some((each) => model!.data.includes(`./${each.path}`));
  const created = dotted
    ? fromFolder(files, all)
    : ort.InferenceSession.create(
        model!.data,
        weights.length === 0 ? all : { ...all, externalData: weights },
      );
  return created.catch((cause: unknown) => {
    throw onnxFault(cause, path, providers);
  });
}

/** Opens files from a private folder, which is gone when the runtime has them. */
async function fromFolder(
  files: readonly { readonly path: string; readonly data: Buffer }[],
  options: OnnxOptions,
): Promise<ort.InferenceSession> {
  const root = await mkdtemp(join(tmpdir(), 'smoothcert-onnx-'));
  try {
    for (const { path, data } of files) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), data);
    }
    return await ort.InferenceSession.create(join(root, files[0]!.path), options);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
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
