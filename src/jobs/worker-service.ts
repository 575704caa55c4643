import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import type { Device } from '../devices/device.ts';
import type { ComputeTarget } from '../engines/compute-target.ts';
import type { Launch } from '../launch.ts';
import { logLine } from '../log-events.ts';
import type { EngineName } from '../models/manifest.ts';
import type { ModelStore } from '../models/store.ts';
import type { DeviceTelemetry } from '../devices/telemetry.ts';
import { DRAWN_SCHEMES } from '../random/noise-law.ts';
import type { Logger } from '../logger.ts';
import type { Software } from '../version.ts';
import { disconnectAll } from '../redis/connections.ts';
import { untilTaken } from '../redis/until-taken.ts';
import { listenForCancellations } from './cancellation.ts';
import { createChunkFeed } from './chunk-feed.ts';
import { createCoordinator } from './coordinator.ts';
import { startCoordinators } from './coordinators.ts';
import { openBatchMemory } from '../host/batch-memory.ts';
import { createDeviceHost } from '../host/device-host.ts';
import { createJobStore } from './job-store.ts';
import type { Keys } from './keys.ts';
import { createPresence, PRESENCE_MILLISECONDS, type WorkerStatus } from './presence.ts';
import { coordinatorQueue, enqueueCoordination, samplingQueues } from './queues.ts';
import { reconcile } from './reconcile.ts';
import { createResultStore } from './result-store.ts';
import { createSamplingConsumers } from './sampling-consumers.ts';
import { createSampler } from './sampling-worker.ts';
import { chunkName, createSamplingStore } from './sampling-store.ts';
import { describe } from './settlement.ts';
import { warmUp } from './warm-up.ts';
import { type SupervisedHost, superviseHost } from '../host/supervised-host.ts';

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
  readonly pin: (device: Device, engine: EngineName) => Pinning;
  /** What is known of the devices now; never rejects. */
  readonly readTelemetry: () => Promise<readonly DeviceTelemetry[]>;
  /** How a host process is started. */
  readonly launch: Launch;
  /** Where measured batch sizes are kept for the next process. */
  readonly cacheDirectory: string;
  readonly retentionSeconds: number;
  /** How long a job waits for a pool that is gone before it is bound to another one. */
  readonly poolGoneSeconds: number;
  readonly software: Software;
  readonly logger: Logger;
}

export interface WorkerService {
  readonly id: string;
  /** Takes no new jobs, ends the hosts; jobs under way are left to be taken up by another worker. */
  close(): Promise<void>;
}

const HEARTBEAT_MILLISECONDS = PRESENCE_MILLISECONDS / 3;
/** Hosts have 5 s to end, and their chunks are given back after it. */
const CLOSE_MILLISECONDS = 7_000;

/**
 * Starts what a worker process does: coordinators, one host process per device and engine with the sampling consumers of
 * its pools, the heartbeat and the reconciliation. Every model is loaded and warmed up on every device before the first
 * job is taken. A device that can load none is out of service, and said to be.
 *
 * @throws DomainError with the code of what is wrong, `model_invalid` where that differs, if no model of the store can be
 *   loaded on any device and no other try could change that
 */
export async function startWorkerService(options: WorkerServiceOptions): Promise<WorkerService> {
  const { redis, keys, models, devices, launch, software, logger } = options;
  const id = randomUUID();
  const connected = (): boolean => redis.status === 'ready';
  const queues = { coordinator: coordinatorQueue(redis, keys), sampling: samplingQueues(redis, keys) };
  const jobs = createJobStore(redis, keys, options.retentionSeconds, Date.now);
  const sampling = createSamplingStore(redis, keys);
  const results = createResultStore(redis, keys);
  const presence = createPresence(redis, keys);
  const cancellations = await listenForCancellations(redis, keys);
  const feed = createChunkFeed({
    sampling,
    presence,
    samplingQueues: queues.sampling,
    coordinatorQueue: queues.coordinator,
  });
  const shared = { jobs, sampling, results, feed, models, software, logger };

  /** Does what can be done again later; a failure is no reason to stop. */
  const attempt = (action: () => Promise<unknown>, what: string): void => {
    if (!connected()) return;
    action().catch((error: unknown) =>
      logger.debug(...logLine('background_task_failed', { task: what, error: describe(error) })),
    );
  };

  const consumers = createSamplingConsumers({
    redis,
    keys,
    logger,
    consume: (host) => createSampler(host, { ...shared, cancellations, connected }),
    onGivenUp: ({ id, binding, chunk }) => {
      const occasion = `${chunkName({ binding }, chunk)}.given-up`;
      attempt(() => enqueueCoordination(queues.coordinator, id, occasion), 'calling a coordinator');
    },
  });
  // One process for each device and engine: no two engines, each with its CUDA libraries, share one.
  const engines = [...new Set(models.models.map(({ manifest }) => manifest.engine))].toSorted();
  const supervise = (device: Device, engine: EngineName): SupervisedHost => {
    const { target, environment } = options.pin(device, engine);
    const batches = openBatchMemory(options.cacheDirectory, device);
    const host: SupervisedHost = superviseHost({
      host: createDeviceHost(device, target, environment, logger.child({ engine }), { launch, batches }),
      engine,
      models: models.models.filter(({ manifest }) => manifest.engine === engine),
      logger,
      onChange: () => consumers.follow(host),
    });
    return host;
  };
  const hosts = devices.flatMap((device) => engines.map((engine) => supervise(device, engine)));
  let telemetry: readonly DeviceTelemetry[] = [];
  const announce = (): Promise<void> =>
    presence.announce({
      id,
      hostname: hostname(),
      pid: process.pid,
      version: software.version,
      noise: DRAWN_SCHEMES,
      devices: describeDevices(hosts, telemetry),
    });
  const closeAll = async (): Promise<void> => {
    // Hosts end first: chunks under way fail at once and go back to the queue, where the next worker finds them.
    await Promise.all(hosts.map((host) => host.close()));
    await consumers.close(!connected());
    await cancellations.close();
    await Promise.all(Object.values(queues).map((queue) => queue.close()));
  };

  // Apart from the heartbeat, which must not wait for a driver that is slow to answer.
  let reading = false;
  const readTelemetry = async (): Promise<void> => {
    if (reading) return;
    reading = true;
    telemetry = await options.readTelemetry();
    reading = false;
  };

  try {
    await warmUp(hosts, models, logger);
    await readTelemetry();
    // Before any job is taken up: a coordinator asks who is there.
    await untilTaken(announce, logger);
    await untilTaken(() => reconcile(jobs, queues.coordinator), logger);
  } catch (error) {
    await closeAll();
    throw error;
  }
  consumers.start();
  const { poolGoneSeconds } = options;
  const coordinate = createCoordinator({ ...shared, presence, poolGoneSeconds });
  const coordinators = startCoordinators({
    redis,
    keys,
    jobs,
    queue: queues.coordinator,
    coordinate,
    attempt,
    logger,
  });
  const timers = [
    setInterval(() => attempt(announce, 'heartbeat'), HEARTBEAT_MILLISECONDS),
    setInterval(() => void readTelemetry(), HEARTBEAT_MILLISECONDS),
  ];
  logger.info(
    ...logLine('worker_ready', { worker: id, devices: devices.map(({ name, lanes }) => ({ name, lanes })) }),
  );

  return {
    id,
    async close() {
      for (const timer of timers) clearInterval(timer);
      // What waits for a server that does not come back would wait for ever.
      const impatience = setTimeout(() => disconnectAll(redis), CLOSE_MILLISECONDS);
      const closing = closeAll();
      await coordinators.close(!connected());
      await closing;
      if (connected()) await presence.leave(id).catch(() => undefined);
      clearTimeout(impatience);
    },
  };
}

/** The hosts by device, in the order of the devices. */
function describeDevices(
  hosts: readonly SupervisedHost[],
  telemetry: readonly DeviceTelemetry[],
): WorkerStatus['devices'] {
  const devices = new Map(hosts.map(({ device }) => [device.id, device]));
  return [...devices.values()].map((device) => ({
    id: device.id,
    name: device.name,
    kind: device.kind,
    lanes: device.lanes,
    driver: device.driver,
    telemetry: telemetry.find(({ id }) => id === device.id) ?? null,
    hosts: hosts.filter((host) => host.device.id === device.id).map((host) => host.status()),
  }));
}
