import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:process';
import { dirname, join } from 'node:path';
import type { ComputeTarget } from '../compute-target.ts';

/** Execution providers as ONNX Runtime's Node binding calls them. */
export type OnnxProvider = 'cpu' | 'cuda' | 'tensorrt' | 'webgpu';

/** The same providers as a profile calls them. */
export const PROFILE_NAMES: Readonly<Record<OnnxProvider, string>> = {
  cpu: 'CPUExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  tensorrt: 'TensorrtExecutionProvider',
  webgpu: 'WebGpuExecutionProvider',
};

/** The providers that may run a model's nodes on `target`, in the order in which ONNX Runtime offers them the nodes. */
export function providersOf({ kind, tensorrt }: ComputeTarget): readonly OnnxProvider[] {
  return kind === 'cuda' && tensorrt ? ['tensorrt', 'cuda'] : [kind];
}

/** What ONNX Runtime says where it leaves nodes to the CPU although that is forbidden. */
export function isFallback(cause: unknown): boolean {
  return String(cause).includes('fallback to CPU EP has been explicitly disabled');
}

/** What is missing where a provider cannot be had, in a sentence; null where the fault is another one. */
export function missingPart(cause: unknown, providers: readonly OnnxProvider[]): string | null {
  const message = String(cause);
  if (message.includes('Failed to load shared library')) {
    const files = ['shared', ...providers.toReversed()].map((name) => `libonnxruntime_providers_${name}.so`);
    const folder = nativeFolder();
    const missing = files.filter((file) => !existsSync(join(folder, file)));
    return missing.length > 0
      ? `${missing.join(', ')} missing in ${folder}`
      : `${files.at(-1)} cannot be loaded: the CUDA, cuDNN or TensorRT libraries that it was built for are missing`;
  }
  if (message.includes('Failed to get a WebGPU adapter'))
    return 'the Vulkan loader (libvulkan.so.1) or the driver of a GPU is missing';
  if (/CUDA failure \d+/.test(message)) return firstLine(message);
  return null;
}

/** Where onnxruntime-node looks for the libraries of providers: beside its own. */
function nativeFolder(): string {
  const packageFile = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  return join(dirname(packageFile), 'bin', 'napi-v6', platform, arch);
}

function firstLine(message: string): string {
  return message.split('\n')[0]!.slice(0, 500);
}
