import type { Fault } from '../errors.ts';
import type { NvidiaGpu, NvidiaInventory } from './nvidia-smi/list-gpus.ts';

/** GPUs, or what may be some. */
export type GpuSelection =
  /** `auto`: all NVIDIA GPUs if there are any, else the CPU. `cuda`: all NVIDIA GPUs, and nothing else if there are none. */
  | { readonly kind: 'auto' | 'cuda' }
  /** UUIDs of NVIDIA GPUs or MIG slices, or the beginnings of some, as they were written. */
  | { readonly kind: 'named'; readonly ids: readonly string[] };

/** What a process can be pinned to: a GPU, or a slice of one in MIG mode. */
export interface NvidiaDevice {
  /** What CUDA_VISIBLE_DEVICES calls it. */
  readonly uuid: string;
  readonly name: string;
  readonly gpu: NvidiaGpu;
}

/** What an operator can do who has no use for the GPUs. */
export const WAYS_OUT = 'choose cpu to compute on the CPU';

/**
 * The devices of a machine with GPUs that are computed on. What was asked for and cannot be had is a fault, all of them at
 * once; so is, where all are meant, every GPU that cannot be used: computing on fewer than there are would be silent.
 *
 * @param variable CUDA_VISIBLE_DEVICES, or null where it is not set
 */
export function selectGpus(
  selection: GpuSelection,
  { gpus, broken }: NvidiaInventory,
  variable: string | null,
): { readonly devices: readonly NvidiaDevice[]; readonly faults: readonly Fault[] } {
  const visible = visibleDevices(variable, gpus);
  const faults: Fault[] = visible.faults.map((detail) => ({ pointer: 'CUDA_VISIBLE_DEVICES', detail }));
  const refuse = (detail: string): void => void faults.push({ pointer: 'devices', detail });
  if (selection.kind !== 'named') {
    const { kind } = selection;
    // Whoever sets the variable has chosen among the GPUs already.
    const meant = variable === null ? { gpus, broken } : { gpus: [], broken: [] };
    for (const line of meant.broken) {
      const others = listDevices(visible.devices);
      refuse(
        `${kind} means every GPU, and nvidia-smi says: ${line}; to go without it name the others: ${others}`,
      );
    }
    for (const { name, uuid, mig, slices } of meant.gpus) {
      if (mig && slices.length === 0)
        refuse(`${name} (${uuid}) is in MIG mode and has no slice; make some, or name the devices to use`);
    }
    if (visible.devices.length === 0 && faults.length === 0)
      refuse(
        `${kind} finds ${gpus.length} GPUs, all hidden by CUDA_VISIBLE_DEVICES; unset it, or ${WAYS_OUT}`,
      );
    return { devices: visible.devices, faults };
  }
  const devices: NvidiaDevice[] = [];
  for (const id of selection.ids) {
    const found = findDevice(id, gpus);
    if (typeof found === 'string') refuse([found, ...broken].join('; '));
    else if (!visible.devices.some(({ uuid }) => uuid === found.uuid))
      refuse(`${found.uuid} is hidden by CUDA_VISIBLE_DEVICES`);
    else if (devices.some(({ uuid }) => uuid === found.uuid)) refuse(`${id} names ${found.uuid} again`);
    else devices.push(found);
  }
  return { devices, faults };
}

/**
 * What CUDA_VISIBLE_DEVICES lets a process use, in the order in which it names them.
 *
 * As in CUDA: an empty value hides everything, and so does everything from `-1` on. An index counts as nvidia-smi does, by
 * the PCI bus, which is the order that hosts are given as well. CUDA silently ignores entries from the first on that it
 * does not know; here they are faults.
 *
 * @param variable its value, or null where it is not set
 */
function visibleDevices(
  variable: string | null,
  gpus: readonly NvidiaGpu[],
): { readonly devices: readonly NvidiaDevice[]; readonly faults: readonly string[] } {
  if (variable === null) return { devices: gpus.flatMap(devicesOf), faults: [] };
  const entries = variable.split(',').map((entry) => entry.trim());
  const end = entries.findIndex((entry) => entry === '-1' || (entry === '' && entries.length === 1));
  const devices: NvidiaDevice[] = [];
  const faults: string[] = [];
  for (const entry of end === -1 ? entries : entries.slice(0, end)) {
    const found = findVisible(entry, gpus);
    if (typeof found === 'string') faults.push(found);
    else if (devices.some(({ uuid }) => uuid === found.uuid))
      faults.push(`${entry} names ${found.uuid} again`);
    else devices.push(found);
  }
  return { devices, faults };
}

/** The device that an entry of CUDA_VISIBLE_DEVICES names, or a sentence about why there is none. */
function findVisible(entry: string, gpus: readonly NvidiaGpu[]): NvidiaDevice | string {
  if (/^(GPU|MIG)-[0-9a-f]/i.test(entry)) return findDevice(entry, gpus);
  if (!/^\d+$/.test(entry)) return `"${entry.slice(0, 60)}" is neither an index, -1 nor a UUID`;
  const index = Number(entry);
  const gpu = gpus.find((each) => each.index === index);
  if (gpu === undefined) return `there is no GPU ${index}; there are: ${listDevices(gpus)}`;
  if (!gpu.mig) return devicesOf(gpu)[0]!;
  return `GPU ${index} is in MIG mode: name its slices: ${listDevices(devicesOf(gpu))}`;
}

/** The one device whose UUID is `id` or begins with it, as CUDA completes UUIDs, or a sentence about why there is none. */
function findDevice(id: string, gpus: readonly NvidiaGpu[]): NvidiaDevice | string {
  const devices = gpus.flatMap(devicesOf);
  const wholes = gpus.filter(({ mig }) => mig);
  const beginning = id.toLowerCase();
  const begins = ({ uuid }: { readonly uuid: string }): boolean => uuid.toLowerCase().startsWith(beginning);
  // A GPU in MIG mode is no device, but whoever names it is told of its slices, not that it is missing.
  const matches = [...devices.filter(begins), ...wholes.filter(begins)];
  const exact = matches.find(({ uuid }) => uuid.toLowerCase() === beginning);
  const [found, ...others] = exact === undefined ? matches : [exact];
  if (found === undefined) return `${id} is not there; there are: ${listDevices(devices)}`;
  if (others.length > 0) return `${id} is the beginning of several: ${listDevices(matches)}`;
  if ('gpu' in found) return found;
  return `${id} is a GPU in MIG mode, which computes by its slices only: ${listDevices(devicesOf(found))}`;
}

/** What of a GPU a process can be pinned to: itself, or in MIG mode each of its slices. */
function devicesOf(gpu: NvidiaGpu): readonly NvidiaDevice[] {
  if (!gpu.mig) return [{ uuid: gpu.uuid, name: gpu.name, gpu }];
  return gpu.slices.map(({ uuid, profile }) => ({ uuid, name: `${gpu.name} MIG ${profile}`, gpu }));
}

/** Devices as a list for people: "NVIDIA H100 80GB HBM3 (GPU-…), …", or "none". */
function listDevices(devices: readonly { readonly name: string; readonly uuid: string }[]): string {
  return devices.length === 0 ? 'none' : devices.map(({ name, uuid }) => `${name} (${uuid})`).join(', ');
}
