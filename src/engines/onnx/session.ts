import ort from 'onnxruntime-node';
import { DomainError } from '../../errors.ts';
import { missingPart, type OnnxProvider } from './providers.ts';

export type OnnxOptions = ort.InferenceSession.SessionOptions;

/**
 * Opens an ONNX file on one thread of the host's processors: a lane is the unit of parallelism.
 *
 * @throws DomainError as `onnxFault` says
 */
export function createOnnxSession(
  path: string,
  options: OnnxOptions,
  providers: readonly OnnxProvider[],
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(path, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Warnings and above would be written to stderr by native code, past the logger.
    logSeverityLevel: 3,
    ...options,
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
