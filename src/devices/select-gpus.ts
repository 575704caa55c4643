import type { Fault } from '../errors.ts';
import type { GpuSelection } from './selection.ts';
import { findDevice } from './find-device.ts';
import { listDevices, type NvidiaDevice } from './nvidia-device.ts';
import type { NvidiaInventory } from './nvidia-smi/list-gpus.ts';
import { visibleDevices } from './visible-gpus.ts';

const VARIABLE = 'SMOOTHCERT_DEVICES';

/** What an operator can do who has no use for the GPUs. */
export const WAYS_OUT = 'set SMOOTHCERT_DEVICES=cpu to compute on the CPU';

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
  const refuse = (detail: string): void => void faults.push({ pointer: VARIABLE, detail });
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
