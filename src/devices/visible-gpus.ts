import { findDevice } from './find-device.ts';
import { devicesOf, listDevices, type NvidiaDevice } from './nvidia-device.ts';
import type { NvidiaGpu } from './nvidia-smi/list-gpus.ts';

/**
 * What CUDA_VISIBLE_DEVICES lets a process use, in the order in which it names them.
 *
 * As in CUDA: an empty value hides everything, and so does everything from `-1` on. An index counts as nvidia-smi does, by
 * the PCI bus, which is the order that hosts are given as well. CUDA silently ignores entries from the first on that it
 * does not know; here they are faults.
 *
 * @param variable its value, or null where it is not set
 */
export function visibleDevices(
  variable: string | null,
  gpus: readonly NvidiaGpu[],
): { readonly devices: readonly NvidiaDevice[]; readonly faults: readonly string[] } {
  if (variable === null) return { devices: gpus.flatMap(devicesOf), faults: [] };
  const entries = variable.split(',').map((entry) => entry.trim());
  const end = entries.findIndex((entry) => entry === '-1' || (entry === '' && entries.length === 1));
  const devices: NvidiaDevice[] = [];
  const faults: string[] = [];
  for (const entry of end === -1 ? entries : entries.slice(0, end)) {
    const found = /^\d+$/.test(entry) ? findByIndex(Number(entry), gpus) : findById(entry, gpus);
    if (typeof found === 'string') faults.push(found);
    else if (devices.some(({ uuid }) => uuid === found.uuid))
      faults.push(`${entry} names ${found.uuid} again`);
    else devices.push(found);
  }
  return { devices, faults };
}

function findById(entry: string, gpus: readonly NvidiaGpu[]): NvidiaDevice | string {
  if (/^(GPU|MIG)-[0-9a-f]/i.test(entry)) return findDevice(entry, gpus);
  return `"${entry.slice(0, 60)}" is neither an index, -1 nor a UUID`;
}

function findByIndex(index: number, gpus: readonly NvidiaGpu[]): NvidiaDevice | string {
  const gpu = gpus.find((each) => each.index === index);
  if (gpu === undefined) return `there is no GPU ${index}; there are: ${listDevices(gpus)}`;
  if (!gpu.mig) return devicesOf(gpu)[0]!;
  return `GPU ${index} is in MIG mode: name its slices: ${listDevices(devicesOf(gpu))}`;
}
