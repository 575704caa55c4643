import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ort from 'onnxruntime-node';
import { DomainError } from '../../errors.ts';
import { readModelFile } from '../../models/file.ts';
import { type OnnxFile, readOnnx } from '../../models/formats/onnx-file.ts';
import { type OnnxLogits, onnxLogits, withLogitsOutput } from '../../models/logits/onnx-logits.ts';
import type { Manifest } from '../../models/manifest.ts';
import type { VerifiedModel } from '../../models/verify.ts';
import { missingPart, type OnnxProvider } from './providers.ts';

export type OnnxOptions = ort.InferenceSession.SessionOptions;

/** A session, and the logits that it gives beside the file's outputs where the one that is certified ends with a Softmax. */
export interface OnnxSession {
  readonly session: ort.InferenceSession;
  readonly logits: OnnxLogits | null;
}

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
): Promise<OnnxSession> {
  const files = await Promise.all(
    manifest.files.map(async (file): Promise<ModelBytes> => ({
      path: file.path,
      data: await readModelFile(folder, file),
    })),
  );
  const [model, ...weights] = files;
  const logits = logitsOf(model!.data, manifest);
  if (logits !== null) model!.data = withLogitsOutput(model!.data, logits);
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
  const session = await created.catch((cause: unknown) => {
    throw onnxFault(cause, path, providers);
  });
  return { session, logits };
}

interface ModelBytes {
  readonly path: string;
  data: Buffer;
}

function logitsOf(bytes: Uint8Array, { output }: Manifest): OnnxLogits | null {
  if ((output.kind ?? 'scores') !== 'scores') return null;
  let file: OnnxFile;
  try {
    file = readOnnx(bytes);
  } catch {
    // The runtime says what is wrong with it.
    return null;
  }
  const names = file.graph.output?.map(({ name = '' }) => name) ?? [];
  const name = output.name ?? (names.length === 1 ? names[0] : undefined);
  return name === undefined ? null : onnxLogits(file, name);
}

/** Opens files from a private folder, which is gone when the runtime has them. */
async function fromFolder(files: readonly ModelBytes[], options: OnnxOptions): Promise<ort.InferenceSession> {
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
