import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { DomainError } from '../errors.ts';
import { findExecutable } from '../find-executable.ts';
import type { Device, DeviceTools } from './device.ts';
import { listGpus } from './nvidia-smi/list-gpus.ts';
import { NvidiaSmiError } from './nvidia-smi/run-nvidia-smi.ts';
import { type GpuSelection, type NvidiaDevice, selectGpus, WAYS_OUT } from './select-gpus.ts';
import { webgpuDevice } from './webgpu.ts';

/** Which devices a worker computes on. */
export type DeviceSelection = { readonly kind: 'cpu' } | { readonly kind: 'webgpu' } | GpuSelection;

const DRIVER_NODE = '/dev/nvidiactl';

/** Without its persistence daemon the driver wakes every GPU for each call, which takes seconds for each. */
const DISCOVERY_MILLISECONDS = 60_000;

const GPU_LANES = 2;
const WEBGPU_LANES = 1;

/**
 * The devices that `selection` asks for, each with `lanes` lanes or, for null, its default: one a core on the CPU, 2 on an
 * NVIDIA GPU, 1 on WebGPU. `auto` takes the CPU only where nothing says that there is an NVIDIA GPU.
 *
 * @throws DomainError `device_unavailable` with every device that is not there or cannot be used, and where nvidia-smi cannot
 *   say which GPUs there are although there should be some
 */
export async function discoverDevices(
  selection: DeviceSelection,
  lanes: number | null,
  tools: DeviceTools,
): Promise<Device[]> {
  if (selection.kind === 'cpu') return [cpuDevice(lanes)];
  if (selection.kind === 'webgpu') {
    return [await webgpuDevice(lanes ?? WEBGPU_LANES, tools.environment ?? {}, tools.launch)];
  }
  const executable = findNvidiaSmi(tools);
  if (executable === null) {
    const node = tools.driverNode ?? DRIVER_NODE;
    const driverLoaded = existsSync(node);
    if (selection.kind === 'auto' && !driverLoaded) return [cpuDevice(lanes)];
    throw refusal(
      selection,
      `no nvidia-smi is on the PATH${driverLoaded ? `, although ${node} exists` : ''}`,
    );
  }
  const limit = tools.timeoutMilliseconds ?? DISCOVERY_MILLISECONDS;
  const inventory = await listGpus(executable, limit, tools.launch).catch((error: unknown) => {
    throw error instanceof NvidiaSmiError ? refusal(selection, error.message, error) : error;
  });
  const { devices, faults } = selectGpus(selection, inventory, tools.visibleDevices);
  if (faults.length > 0) throw new DomainError('device_unavailable', undefined, faults);
  return devices.map((device) => gpuDevice(device, lanes));
}

/** Where nvidia-smi is, or null. */
export function findNvidiaSmi(tools: DeviceTools): string | null {
  return findExecutable(['nvidia-smi'], tools.searchPath);
}

/** Nothing is known of the GPUs, for that reason. */
function refusal({ kind }: GpuSelection, reason: string, cause?: unknown): DomainError {
  const details = {
    auto: `auto cannot tell which GPUs there are: ${reason}; mend that, or ${WAYS_OUT}`,
    cuda: `cuda asks for NVIDIA GPUs, and none is known: ${reason}; mend that, or ${WAYS_OUT}`,
    named: reason,
  };
  const fault = { pointer: 'devices', detail: details[kind] };
  return new DomainError('device_unavailable', undefined, [fault], { cause });
}

function cpuDevice(lanes: number | null): Device {
  const model = cpus()[0]?.model.trim();
  return {
    id: 'cpu',
    name: model ? `CPU ${model}` : 'CPU',
    kind: 'cpu',
    lanes: lanes ?? availableParallelism(),
    driver: null,
  };
}

function gpuDevice({ uuid, name, gpu }: NvidiaDevice, lanes: number | null): Device {
  return {
    id: uuid,
    name,
    kind: 'cuda',
    lanes: lanes ?? GPU_LANES,
    driver: gpu.driver,
    ...(gpu.mig ? { parent: gpu.uuid } : {}),
  };
}
