import ort from 'onnxruntime-node';
import { DomainError } from '../../errors.ts';
import type { ComputeTarget } from '../compute-target.ts';
import { inputElements, networkShape } from '../../models/manifest.ts';
import type { VerifiedModel } from '../../models/verify.ts';
import { multipliesInFloat32 } from './arithmetic.ts';
import { judgePlacement, withProfile } from './placement.ts';
import { isFallback, type OnnxProvider } from './providers.ts';
import { createOnnxSession, onnxFault, type OnnxOptions, type OnnxSession } from './session.ts';
import { signatureOf } from './signature.ts';

/** Forbids ONNX Runtime to compute on the CPU what a GPU's provider lacks. */
const NO_FALLBACK: OnnxOptions = { extra: { session: { disable_cpu_ep_fallback: '1' } } };

export interface GpuSession {
  readonly opened: OnnxSession;
  /** The first of the providers asked for that ran a node. */
  readonly provider: OnnxProvider;
}

/**
 * Opens a model on the one GPU of this process, runs one batch, and makes sure by ONNX Runtime's profile of it that the
 * providers asked for, and no others, computed it.
 *
 * @throws DomainError as `openOnnxSession` says
 */
export async function openOnGpu(
  model: VerifiedModel,
  target: ComputeTarget,
  providers: readonly OnnxProvider[],
): Promise<GpuSession> {
  // A pinned process sees one NVIDIA GPU, with the number 0.
  const executionProviders = providers.map((name) => (name === 'webgpu' ? name : { name, deviceId: 0 }));
  const profiled = await openProfiled(model, { executionProviders, ...NO_FALLBACK }, providers).catch(
    // The refusal does not say which nodes; a profile of the fallback does.
    (error: unknown) => {
      if (!(error instanceof DomainError) || !isFallback(error.cause)) throw error;
      return openProfiled(model, { executionProviders }, providers).then(async ({ opened: { session } }) => {
        await session.release();
        throw error;
      });
    },
  );
  try {
    if (target.kind === 'cuda' && target.precision === 'fp32')
      await requireFloat32(providers, executionProviders);
    return profiled;
  } catch (error) {
    await profiled.opened.session.release();
    throw error;
  }
}

function openProfiled(
  model: VerifiedModel,
  options: OnnxOptions,
  providers: readonly OnnxProvider[],
): Promise<GpuSession> {
  return withProfile(async (profiling, readProfile) => {
    const opened = await createOnnxSession(model, { ...options, ...profiling }, providers);
    try {
      await runTrial(opened, model, providers);
      const verdict = judgePlacement(await readProfile(opened.session), providers);
      if ('fault' in verdict) throw new DomainError('model_invalid', `${model.path}: ${verdict.fault}`);
      return { opened, provider: verdict.provider };
    } catch (error) {
      await opened.session.release();
      throw error;
    }
  });
}

/** Runs the smallest batch that the model takes. */
async function runTrial(
  opened: OnnxSession,
  model: VerifiedModel,
  providers: readonly OnnxProvider[],
): Promise<void> {
  const { input: image, fetched, fixedBatch } = signatureOf(opened, model);
  const rows = fixedBatch ?? 1;
  const values = new Float32Array(rows * inputElements(model.manifest)).fill(0.5);
  const input = new ort.Tensor('float32', values, [rows, ...networkShape(model.manifest)]);
  try {
    await opened.session.run({ [image.name]: input }, [fetched]);
  } catch (cause) {
    throw onnxFault(cause, model.path, providers);
  }
}

let float32: Promise<boolean> | undefined;

/** Refuses a GPU whose libraries round to TF32 on their own account, which they do by default. Asked once a thread. */
async function requireFloat32(
  providers: readonly OnnxProvider[],
  executionProviders: NonNullable<OnnxOptions['executionProviders']>,
): Promise<void> {
  float32 ??= multipliesInFloat32({ executionProviders, logSeverityLevel: 3 });
  const exact = await float32.catch((cause: unknown) => {
    throw onnxFault(cause, 'the trial of the arithmetic', providers);
  });
  if (!exact) {
    throw new DomainError(
      'device_unavailable',
      'the GPU rounds products to TF32 although fp32 was asked for: NVIDIA_TF32_OVERRIDE=0 must be in force before the ' +
        'process starts',
    );
  }
}
