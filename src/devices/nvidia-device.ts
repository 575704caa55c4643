import type { NvidiaGpu } from './nvidia-smi/list-gpus.ts';

/** What a process can be pinned to: a GPU, or a slice of one in MIG mode. */
export interface NvidiaDevice {
  /** What CUDA_VISIBLE_DEVICES calls it. */
  readonly uuid: string;
  readonly name: string;
  /** A slice's own memory is not known: its profile states it only roughly. */
  readonly memoryBytes: number | null;
  readonly gpu: NvidiaGpu;
}

/** What of a GPU a process can be pinned to: itself, or in MIG mode each of its slices. */
export function devicesOf(gpu: NvidiaGpu): readonly NvidiaDevice[] {
  if (!gpu.mig) return [{ uuid: gpu.uuid, name: gpu.name, memoryBytes: gpu.memoryBytes, gpu }];
  return gpu.slices.map(({ uuid, profile }) => ({
    uuid,
    name: `${gpu.name} MIG ${profile}`,
    memoryBytes: null,
    gpu,
  }));
}

/** Devices as a list for people: "NVIDIA H100 80GB HBM3 (GPU-…), …", or "none". */
export function listDevices(devices: readonly { readonly name: string; readonly uuid: string }[]): string {
  return devices.length === 0 ? 'none' : devices.map(({ name, uuid }) => `${name} (${uuid})`).join(', ');
}
