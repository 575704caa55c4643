import { availableParallelism, cpus, totalmem } from 'node:os';
import { DomainError } from '../errors.ts';
import type { DeviceKind } from './compute-target.ts';
import type { DeviceSelection } from './device-selection.ts';

/** A compute device that host processes are pinned to. */
export interface Device {
  /** Stable within a machine: `cpu`, `webgpu`, or the `GPU-` or `MIG-` UUID. Part of the queue consumer's name. */
  readonly id: string;
  /** What a certificate calls it. */
  readonly name: string;
  readonly kind: DeviceKind;
  /** Threads that each own a noise kernel, a batch and a session. */
  readonly lanes: number;
  /** The machine's memory for the CPU, the GPU's or slice's own otherwise; null where it is not known. */
  readonly memoryBytes: number | null;
  /** Version of the NVIDIA driver, or null. */
  readonly driver: string | null;
}

/** What discovery and telemetry ask. */
export interface DeviceTools {
  /** PATH: where nvidia-smi is looked for. */
  readonly searchPath: string;
  /** CUDA_VISIBLE_DEVICES of this process; null where it is not set. */
  readonly visibleDevices: string | null;
}

/**
 * The devices that `selection` asks for, each with `lanes` lanes or, for null, its default: one a core on the CPU, 2 on an
 * NVIDIA GPU, 1 on WebGPU.
 *
 * @throws DomainError `device_unavailable` with every device that is not there
 */
export async function discoverDevices(
  selection: DeviceSelection,
  lanes: number | null,
  _tools: DeviceTools,
): Promise<Device[]> {
  if (selection.kind === 'named') {
    throw new DomainError(
      'device_unavailable',
      undefined,
      selection.ids.map((id) => ({ pointer: 'SMOOTHCERT_DEVICES', detail: `${id} is not there` })),
    );
  }
  if (selection.kind === 'cuda') {
    const detail = 'cuda asks for NVIDIA GPUs, and none is there';
    throw new DomainError('device_unavailable', undefined, [{ pointer: 'SMOOTHCERT_DEVICES', detail }]);
  }
  if (selection.kind === 'webgpu') {
    return [
      { id: 'webgpu', name: 'WebGPU', kind: 'webgpu', lanes: lanes ?? 1, memoryBytes: null, driver: null },
    ];
  }
  return [cpuDevice(lanes)];
}

function cpuDevice(lanes: number | null): Device {
  const model = cpus()[0]?.model.trim();
  return {
    id: 'cpu',
    name: model ? `CPU ${model}` : 'CPU',
    kind: 'cpu',
    lanes: lanes ?? availableParallelism(),
    memoryBytes: totalmem(),
    driver: null,
  };
}
