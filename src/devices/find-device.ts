import { devicesOf, listDevices, type NvidiaDevice } from './nvidia-device.ts';
import type { NvidiaGpu } from './nvidia-smi/list-gpus.ts';

/**
 * The one device whose UUID is `id` or begins with it, as CUDA completes UUIDs, or a sentence about why there is none.
 *
 * @param gpus those to choose from
 */
export function findDevice(id: string, gpus: readonly NvidiaGpu[]): NvidiaDevice | string {
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
