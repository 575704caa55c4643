import { DomainError } from '../errors.ts';
import type { ComputeTarget } from '../engines/compute-target.ts';
import type { Device } from './device.ts';

/** What an operator allows on every device of a worker. */
export type TargetOptions = Omit<ComputeTarget, 'kind'>;

/**
 * What sessions on a device must compute on.
 *
 * @throws DomainError `device_unavailable` where the options ask for what only an NVIDIA GPU has and the device is none:
 *   they are never dropped silently
 */
export function deviceTarget(device: Device, options: TargetOptions): ComputeTarget {
  const faults =
    device.kind === 'cuda'
      ? []
      : [
          ...(options.tensorrt ? [{ pointer: 'tensorrt', detail: needsGpu(device) }] : []),
          ...(options.precision === 'fp32' ? [] : [{ pointer: 'precision', detail: needsGpu(device) }]),
        ];
  if (faults.length > 0) throw new DomainError('device_unavailable', undefined, faults);
  return { kind: device.kind, ...options };
}

function needsGpu(device: Device): string {
  return `asks for an NVIDIA GPU, and this worker computes on ${device.name}`;
}
