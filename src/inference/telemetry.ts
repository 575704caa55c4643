import { freemem, totalmem } from 'node:os';
import type { Device, DeviceTools } from './devices.ts';

/** What is known of a device at one moment; null where it cannot be known. */
export interface DeviceTelemetry {
  readonly id: string;
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly temperatureCelsius: number | null;
  /** Share of the last sampling period in which the device computed, 0 to 1. */
  readonly utilisation: number | null;
  readonly powerWatts: number | null;
  /**
   * `ok`: it answers; `degraded`: it answers, but has had memory errors that could not be corrected; `lost`: the driver
   * says that it is gone; `unknown`: nothing can be said, and `reason` says why.
   */
  readonly health: 'ok' | 'degraded' | 'lost' | 'unknown';
  /** Why the health is not `ok`, or null. */
  readonly reason: string | null;
}

/**
 * What is known of `devices` now, in their order. Never rejects: what cannot be read is null, with the reason. It takes at
 * most the tools' time limit.
 */
export async function readTelemetry(
  devices: readonly Device[],
  _tools: DeviceTools,
): Promise<DeviceTelemetry[]> {
  return devices.map(({ id, kind }) => {
    const nothing = {
      id,
      memoryUsedBytes: null,
      memoryTotalBytes: null,
      temperatureCelsius: null,
      utilisation: null,
      powerWatts: null,
    };
    if (kind !== 'cpu') return { ...nothing, health: 'unknown', reason: 'it cannot be asked' };
    return {
      ...nothing,
      memoryUsedBytes: totalmem() - freemem(),
      memoryTotalBytes: totalmem(),
      health: 'ok',
      reason: null,
    };
  });
}
