import type { WorkerStatus } from '../../src/jobs/stored/worker-status.ts';
import { gaussianLaw } from '../../src/random/noise-law.ts';
import type { LoadedModel } from '../../src/host/host-models.ts';
import type { HostStatus } from '../../src/host/supervised-host.ts';

export const ENGINE = {
  name: 'onnxruntime-node',
  version: '1.30.0',
  provider: 'cpu',
  precision: 'fp32',
} as const;

/** What is drawn where nothing else is the subject. */
export const NOISE = gaussianLaw(0.5);

/** A model as a host tells of it. */
export function loadedModel(model: Partial<LoadedModel> = {}): LoadedModel {
  return {
    name: 'mnist-cnn',
    digest: 'd'.repeat(64),
    engine: ENGINE,
    batchSize: 64,
    samplesPerSecond: 1_000,
    ...model,
  };
}

export function hostStatus(host: Partial<HostStatus> = {}): HostStatus {
  return {
    engine: 'onnx',
    state: 'ready',
    reason: null,
    since: Date.UTC(2026, 0, 2),
    hostPid: 2,
    restarts: 0,
    samplesPerSecond: 0,
    models: [],
    refused: [],
    ...host,
  };
}

/** A worker with one device for each list of hosts. */
export function workerStatus(id: string, ...devices: readonly (readonly HostStatus[])[]): WorkerStatus {
  return {
    id,
    hostname: 'here',
    pid: 1,
    version: '0',
    noise: [{ scheme: NOISE.scheme, version: NOISE.version }],
    devices: devices.map((hosts, index) => ({
      id: `device-${index}`,
      name: `Device ${index}`,
      kind: 'cpu',
      lanes: 2,
      driver: null,
      telemetry: null,
      hosts,
    })),
  };
}
