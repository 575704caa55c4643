import type { DeviceResource } from '../contract/device.ts';
import { HOST_STATES } from '../contract/status.ts';
import type { WorkerStatus } from '../jobs/stored/worker-status.ts';

/** A worker's devices as the API shows them. A device is as well as the best of its hosts. */
export function presentDevices({ id, hostname, version, devices }: WorkerStatus): DeviceResource[] {
  return devices.map((device) => ({
    object: 'device',
    id: device.id,
    name: device.name,
    kind: device.kind,
    lanes: device.lanes,
    driver: device.driver,
    telemetry: presentTelemetry(device.telemetry),
    worker: { id, hostname, version },
    state: HOST_STATES.find((state) => device.hosts.some((host) => host.state === state)) ?? 'out',
    hosts: device.hosts.map((host) => ({
      engine: host.engine,
      state: host.state,
      reason: host.reason,
      since: new Date(host.since).toISOString(),
      restarts: host.restarts,
      samplesPerSecond: host.samplesPerSecond,
      models: [...host.models],
    })),
  }));
}

function presentTelemetry(
  telemetry: WorkerStatus['devices'][number]['telemetry'],
): DeviceResource['telemetry'] {
  if (telemetry === null) return null;
  const { id: _, ...known } = telemetry;
  return known;
}
