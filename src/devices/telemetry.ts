import { freemem, totalmem } from 'node:os';
import { messageOf } from '../errors.ts';
import type { Device, DeviceTools } from './device.ts';
import { findNvidiaSmi } from './discover.ts';
import { type GpuState, type GpuStates, readGpuStates } from './nvidia-smi/read-gpu-state.ts';

/** What is known of a device at one moment; null where it cannot be known. */
export interface DeviceTelemetry {
  readonly id: string;
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  /** Of the whole GPU for a slice of it. */
  readonly temperatureCelsius: number | null;
  /** Share of the driver's last sampling period, 1 s or less, in which the device computed, 0 to 1. */
  readonly utilisation: number | null;
  readonly powerWatts: number | null;
  /**
   * `ok`: it answers; `degraded`: it answers, but has had memory errors that could not be corrected, or a value cannot be
   * read from it; `lost`: the driver no longer reaches it; `unknown`: nothing can be said.
   */
  readonly health: 'ok' | 'degraded' | 'lost' | 'unknown';
  /** Why the health is not `ok`, or null. */
  readonly reason: string | null;
}

const NOTHING = {
  memoryUsedBytes: null,
  memoryTotalBytes: null,
  temperatureCelsius: null,
  utilisation: null,
  powerWatts: null,
} as const;

const TELEMETRY_MILLISECONDS = 4_000;

/**
 * What is known of `devices` now, in their order. Never rejects: what cannot be read is null, with the reason. nvidia-smi is
 * called once, for all GPUs, and has 4 seconds.
 */
export async function readTelemetry(
  devices: readonly Device[],
  tools: DeviceTools,
): Promise<DeviceTelemetry[]> {
  const asked = devices.some(({ kind }) => kind === 'cuda');
  const states = asked ? await readStates(tools) : null;
  const gpus = new Set(devices.flatMap(({ kind, id, parent }) => (kind === 'cuda' ? [parent ?? id] : [])));
  return devices.map((device) => {
    if (device.kind === 'cpu') return ofMachine(device);
    if (device.kind === 'webgpu') return unknown(device, 'WebGPU tells nothing of its device');
    if (states === null || typeof states === 'string') return unknown(device, states ?? '');
    const state = states.states.get(device.parent ?? device.id);
    return state === undefined ? ofMissing(device, states, gpus.size) : ofGpu(device, state);
  });
}

async function readStates(tools: DeviceTools): Promise<GpuStates | string> {
  const executable = findNvidiaSmi(tools);
  if (executable === null) return 'no nvidia-smi is on the PATH';
  try {
    const limit = tools.timeoutMilliseconds ?? TELEMETRY_MILLISECONDS;
    return await readGpuStates(executable, limit, tools.launch);
  } catch (error) {
    return messageOf(error);
  }
}

function ofMachine({ id }: Device): DeviceTelemetry {
  const memoryTotalBytes = totalmem();
  const memoryUsedBytes = memoryTotalBytes - freemem();
  return { id, ...NOTHING, memoryUsedBytes, memoryTotalBytes, health: 'ok', reason: null };
}

function unknown({ id }: Device, reason: string): DeviceTelemetry {
  return { id, ...NOTHING, health: 'unknown', reason };
}

function ofGpu({ id, parent }: Device, state: GpuState): DeviceTelemetry {
  const { uncorrectedErrors, unread, ...values } = state;
  const reasons = [
    ...(uncorrectedErrors !== null && uncorrectedErrors > 0
      ? [`${uncorrectedErrors} memory errors could not be corrected`]
      : []),
    ...unread,
  ];
  const lost = unread.some((value) => value.includes('GPU is lost'));
  // Memory, power and utilisation of a GPU are those of all its slices together.
  const known = parent === undefined ? values : { ...NOTHING, temperatureCelsius: values.temperatureCelsius };
  if (reasons.length === 0) return { id, ...known, health: 'ok', reason: null };
  return { id, ...known, health: lost ? 'lost' : 'degraded', reason: reasons.join('; ') };
}

/**
 * A GPU of which there is no row: lost, unless nvidia-smi failed as a whole, or said what is not understood, or complained of
 * one of several GPUs and told nothing of the others.
 */
function ofMissing(device: Device, states: GpuStates, gpus: number): DeviceTelemetry {
  const { broken, unexpected, failure } = states;
  if (broken.length > 0) {
    const reason = broken.join('; ');
    const lost = states.states.size > 0 || gpus === 1;
    return lost ? { id: device.id, ...NOTHING, health: 'lost', reason } : unknown(device, reason);
  }
  if (failure !== null && !failure.includes('No devices were found')) return unknown(device, failure);
  if (failure === null && unexpected.length > 0)
    return unknown(device, `nvidia-smi printed an unexpected line: "${unexpected[0]!}"`);
  return {
    id: device.id,
    ...NOTHING,
    health: 'lost',
    reason: failure ?? 'nvidia-smi no longer lists it',
  };
}
