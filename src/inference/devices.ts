import { availableParallelism, cpus } from 'node:os';
import type { DeviceKind } from './compute-target.ts';

/** A compute device that one host process is pinned to. */
export interface Device {
  /** Stable within a machine; part of the queue consumer's name. */
  readonly id: string;
  /** What a certificate calls it. */
  readonly name: string;
  readonly kind: DeviceKind;
  /** Threads that each own a noise kernel, a batch and a session. */
  readonly lanes: number;
}

/** The devices of this machine: the CPU, as one device with one single-threaded lane a core unless told otherwise. */
export function discoverDevices(lanes: number | null): Device[] {
  const model = cpus()[0]?.model.trim();
  return [
    { id: 'cpu', name: model ? `CPU ${model}` : 'CPU', kind: 'cpu', lanes: lanes ?? availableParallelism() },
  ];
}
