import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { DomainError } from '../errors.ts';
import type { ComputeTarget } from '../inference/compute-target.ts';
import type { Device } from '../inference/devices.ts';
import type { ModelStore } from '../inference/model-store.ts';
import type { HostEngine } from '../inference/pinned-environment.ts';
import type { Logger } from '../logger.ts';
import type { Software } from '../version.ts';
import { listenForCancellations } from './cancellation.ts';
import { createCoordinator } from './coordinator.ts';
import { createDeviceHost, type DeviceHost } from './device-host/device-host.ts';
import type { WarmModel } from './device-host/protocol.ts';
import { createJobStore } from './job-store.ts';
import type { Keys } from './keys.ts';
import { createPresence, PRESENCE_MILLISECONDS } from './presence.ts';
import {
  COORDINATOR_QUEUE,
  coordinatorQueue,
  SAMPLING_QUEUE,
  samplingQueue,
  workerOptions,
} from './queues.ts';
import { reconcile } from './reconcile.ts';
import { createResultStore } from './result-store.ts';
import { createSampler } from './sampling-worker.ts';
import { createSamplingStore } from './sampling-store.ts';
import { describe } from './settlement.ts';

export interface Pinning {
  readonly target: ComputeTarget;
  readonly environment: NodeJS.ProcessEnv;
}

export interface WorkerServiceOptions {
  /** A connection with `maxRetriesPerRequest: null`; closed by the caller, after the service. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly models: ModelStore;
  readonly devices: readonly Device[];
  /** What the host of a device and engine must compute on, and its whole environment, in force before it loads anything. */
  readonly pin: (device: Device, engine: HostEngine) => Pinning;
  readonly retentionSeconds: number;
  readonly software: Software;
  readonly logger: Logger;
}

export interface WorkerService {
  readonly id: string;
  /** Takes no new jobs, ends the hosts; jobs under way are left to be taken up by another worker. */
  close(): Promise<void>;
}

/** Coordinators only decide and wait for Redis: many fit in one process. */
const COORDINATORS = 16;
/** Chunks a device holds: one that it samples and one that waits, so that no lane idles between chunks. */
const CHUNKS_PER_DEVICE = 2;
const HEARTBEAT_MILLISECONDS = PRESENCE_MILLISECONDS / 3;
const RECONCILE_MILLISECONDS = 30_000;

/**
 * Starts what a worker process does: coordinators, one sampling consumer and one host process per device, the heartbeat
 * and the reconciliation. Every model is loaded and warmed up on every device before the first job is taken.
 *
 * @throws DomainError `model_invalid` where no model of the store can be loaded on any device
 */
export async function startWorkerService(options: WorkerServiceOptions): Promise<WorkerService> {
  const { redis, keys, models, devices, software, logger } = options;
  const id = randomUUID();
  const hosts = devices.map((device) => {
    const { target, environment } = options.pin(device, 'onnx');
    return createDeviceHost(device, target, environment, logger);
  });
  const warm = await warmUp(hosts, models, logger).catch(async (error: unknown) => {
    await Promise.all(hosts.map((host) => host.close()));
    throw error;
  });

  const queues = { coordinator: coordinatorQueue(redis, keys), sampling: samplingQueue(redis, keys) };
  const jobs = createJobStore(redis, keys, options.retentionSeconds, Date.now);
  const sampling = createSamplingStore(redis, keys);
  const results = createResultStore(redis, keys);
  const presence = createPresence(redis, keys);
  const cancellations = await listenForCancellations(redis, keys);
  const connected = (): boolean => redis.status === 'ready';
  const shared = { jobs, sampling, results, models, software, logger };

  const coordinate = createCoordinator({ ...shared, presence, samplingQueue: queues.sampling });
  const coordinators = new Worker(
    COORDINATOR_QUEUE,
    (job, token) => coordinate(job, token!),
    workerOptions(redis, keys, COORDINATORS),
  );
  const consumers = [
    coordinators,
    ...hosts.map(
      (host) =>
        new Worker(
          SAMPLING_QUEUE,
          createSampler(host, { ...shared, cancellations, connected }),
          workerOptions(redis, keys, CHUNKS_PER_DEVICE),
        ),
    ),
  ];
  for (const consumer of consumers) {
    consumer.on('error', (error) =>
      logger.debug({ queue: consumer.name, error: error.message }, 'queue error'),
    );
    consumer.on('stalled', (jobId) => logger.warn({ queue: consumer.name, jobId }, 'a job was taken over'));
  }

  const announce = (): Promise<void> =>
    presence.announce({
      id,
      hostname: hostname(),
      pid: process.pid,
      version: software.version,
      devices: hosts.map((host) => ({
        id: host.device.id,
        name: host.device.name,
        lanes: host.device.lanes,
        hostPid: host.pid(),
        restarts: host.restarts(),
        models: warm.get(host) ?? [],
      })),
    });
  /** Does what can be done again later; a failure is no reason to stop. */
  const attempt = (action: () => Promise<unknown>, what: string): void => {
    if (!connected()) return;
    action().catch((error: unknown) => logger.debug({ error: describe(error) }, `${what} failed`));
  };
  const reconcileJobs = (): Promise<void> => reconcile(jobs, queues.coordinator);
  // A coordinator that failed for good ends its job now, not at the next reconciliation.
  coordinators.on('failed', () => attempt(reconcileJobs, 'reconciliation'));

  await announce();
  await reconcileJobs();
  const timers = [
    setInterval(() => attempt(announce, 'heartbeat'), HEARTBEAT_MILLISECONDS),
    setInterval(() => attempt(reconcileJobs, 'reconciliation'), RECONCILE_MILLISECONDS),
  ];
  logger.info({ worker: id, devices: devices.map(({ name, lanes }) => ({ name, lanes })) }, 'worker ready');

  return {
    id,
    async close() {
      for (const timer of timers) clearInterval(timer);
      // Hosts end first: chunks under way fail at once and go back to the queue, where the next worker finds them.
      await Promise.all(hosts.map((host) => host.close()));
      await Promise.all(consumers.map((consumer) => consumer.close(!connected())));
      await cancellations.close();
      if (connected()) await presence.leave(id).catch(() => undefined);
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
    },
  };
}

type WarmedUp = ReadonlyMap<DeviceHost, ({ name: string; digest: string } & WarmModel)[]>;

/** Loads every model on every device. One that cannot be loaded is reported; without any the worker does not start. */
async function warmUp(hosts: readonly DeviceHost[], models: ModelStore, logger: Logger): Promise<WarmedUp> {
  for (const { folder, error } of models.rejected) {
    logger.error({ folder, code: error.code, faults: error.faults, detail: error.message }, 'model refused');
  }
  const warm = new Map<DeviceHost, ({ name: string; digest: string } & WarmModel)[]>();
  for (const host of hosts) {
    const loaded: ({ name: string; digest: string } & WarmModel)[] = [];
    for (const model of models.models) {
      const { name } = model.manifest;
      const outcome = await host.load(model);
      if (outcome.kind === 'failed') {
        logger.error({ model: name, device: host.device.id, ...outcome }, 'model not loadable');
        continue;
      }
      const { engine, batchSize, samplesPerSecond } = outcome;
      loaded.push({ name, digest: model.digest, engine, batchSize, samplesPerSecond });
      logger.info(
        { model: name, device: host.device.id, engine, batchSize, samplesPerSecond },
        'model warmed up',
      );
    }
    warm.set(host, loaded);
  }
  if ([...warm.values()].every((loaded) => loaded.length === 0)) {
    throw new DomainError('model_invalid', 'no model can be loaded on any device of this worker');
  }
  return warm;
}
