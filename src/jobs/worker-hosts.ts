import type { Device } from '../devices/device.ts';
import type { DeviceTelemetry } from '../devices/telemetry.ts';
import type { ComputeTarget } from '../engines/compute-target.ts';
import { openBatchMemory } from '../host/batch-memory.ts';
import { createDeviceHost } from '../host/device-host.ts';
import { type SupervisedHost, superviseHost } from '../host/supervised-host.ts';
import type { Launch } from '../launch.ts';
import type { Logger } from '../logger.ts';
import type { EngineName } from '../models/manifest.ts';
import type { ModelStore } from '../models/store.ts';
import type { WorkerStatus } from './stored/worker-status.ts';

export interface Pinning {
  readonly target: ComputeTarget;
  readonly environment: NodeJS.ProcessEnv;
}

export interface WorkerHostsOptions {
  readonly models: ModelStore;
  readonly devices: readonly Device[];
  /** What the host of a device and engine must compute on, and its whole environment, in force before it loads anything. */
  readonly pin: (device: Device, engine: EngineName) => Pinning;
  /** What is known of the devices now; never rejects. */
  readonly readTelemetry: () => Promise<readonly DeviceTelemetry[]>;
  /** How a host process is started. */
  readonly launch: Launch;
  /** Where measured batch sizes are kept for the next process. */
  readonly cacheDirectory: string;
  readonly logger: Logger;
}

/** The hosts of a worker: one process for each device and engine, since no two engines, each with its CUDA libraries, share one. */
export interface WorkerHosts {
  readonly all: readonly SupervisedHost[];
  /** Asks the drivers anew, unless they are being asked. Never rejects. */
  readTelemetry(): Promise<void>;
  /** What is known of them now, by device, in the order of the devices. */
  status(): WorkerStatus['devices'];
  close(): Promise<void>;
}

/** Prepares the hosts; none is started. @param onChange called when a host gets in or out of service */
export function createWorkerHosts(
  options: WorkerHostsOptions,
  onChange: (host: SupervisedHost) => void,
): WorkerHosts {
  const { models, devices, launch, logger } = options;
  const engines = [...new Set(models.models.map(({ manifest }) => manifest.engine))].toSorted();

  function supervise(device: Device, engine: EngineName): SupervisedHost {
    const { target, environment } = options.pin(device, engine);
    const batches = openBatchMemory(options.cacheDirectory, device);
    const host: SupervisedHost = superviseHost({
      host: createDeviceHost(device, target, environment, logger.child({ engine }), { launch, batches }),
      engine,
      models: models.models.filter(({ manifest }) => manifest.engine === engine),
      logger,
      onChange: () => onChange(host),
    });
    return host;
  }

  const all = devices.flatMap((device) => engines.map((engine) => supervise(device, engine)));
  let telemetry: readonly DeviceTelemetry[] = [];
  let reading = false;
  return {
    all,
    async readTelemetry() {
      if (reading) return;
      reading = true;
      telemetry = await options.readTelemetry();
      reading = false;
    },
    status: () =>
      devices.map(({ id, name, kind, lanes, driver }) => ({
        id,
        name,
        kind,
        lanes,
        driver,
        telemetry: telemetry.find((each) => each.id === id) ?? null,
        hosts: all.filter(({ device }) => device.id === id).map((host) => host.status()),
      })),
    async close() {
      await Promise.all(all.map((host) => host.close()));
    },
  };
}
