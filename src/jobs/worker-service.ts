import type { Redis } from 'ioredis';
import { messageOf } from '../errors.ts';
import { logLine } from '../log-events.ts';
import { disconnectAll } from '../redis/connections.ts';
import { untilTaken } from '../redis/until-taken.ts';
import type { Software } from '../version.ts';
import { listenForCancellations } from './cancellation.ts';
import { createChunkFeed } from './chunk-feed.ts';
import { createCoordinator } from './coordinator.ts';
import { startCoordinators } from './coordinators.ts';
import { createHeartbeat } from './heartbeat.ts';
import { createEntryStore } from './entries.ts';
import { createJobStore } from './job-store.ts';
import type { Keys } from './keys.ts';
import { createPresence } from './presence.ts';
import { coordinatorQueue, enqueueCoordination, samplingQueues } from './queues.ts';
import { reconcile } from './reconcile.ts';
import { createResultStore } from './result-store.ts';
import { createSamplingConsumers } from './sampling-consumers.ts';
import { chunkName, createSamplingStore } from './sampling-store.ts';
import { createSampler } from './sampling-worker.ts';
import { warmUp } from './warm-up.ts';
import { createWorkerHosts, type WorkerHostsOptions } from './worker-hosts.ts';

export interface WorkerServiceOptions extends WorkerHostsOptions {
  /** A connection with `maxRetriesPerRequest: null`; closed by the caller, after the service. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly retentionSeconds: number;
  /** How long a job waits for a pool that is gone before it is bound to another one. */
  readonly poolGoneSeconds: number;
  readonly software: Software;
}

export interface WorkerService {
  readonly id: string;
  /** Takes no new jobs, ends the hosts; jobs under way are left to be taken up by another worker. */
  close(): Promise<void>;
}

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
  const { redis, keys, models, devices, software, logger } = options;
  const connected = (): boolean => redis.status === 'ready';
  const queues = { coordinator: coordinatorQueue(redis, keys), sampling: samplingQueues(redis, keys) };
  const jobs = createJobStore(redis, keys, options.retentionSeconds, Date.now);
  const entries = createEntryStore(redis, keys);
  const sampling = createSamplingStore(redis, keys);
  const results = createResultStore(redis, keys);
  const reported = new Set<string>();
  const presence = createPresence(redis, keys, (reason) => {
    if (!reported.has(reason)) logger.warn(...logLine('worker_not_understood', { reason }));
    reported.add(reason);
  });
  const cancellations = await listenForCancellations(redis, keys);
  const feed = createChunkFeed({
    sampling,
    presence,
    samplingQueues: queues.sampling,
    coordinatorQueue: queues.coordinator,
  });
  const shared = { jobs, entries, sampling, results, feed, models, software, logger };

  /** Does what can be done again later; a failure is no reason to stop. */
  const attempt = (action: () => Promise<unknown>, what: string): void => {
    if (!connected()) return;
    action().catch((error: unknown) =>
      logger.debug(...logLine('background_task_failed', { task: what, error: messageOf(error) })),
    );
  };

  const consumers = createSamplingConsumers({
    redis,
    keys,
    logger,
    consume: (host) => createSampler(host, { ...shared, cancellations, connected }),
    onGivenUp: (given) => {
      const occasion = `${chunkName(given, given.chunk)}.given-up`;
      attempt(() => enqueueCoordination(queues.coordinator, given, occasion), 'calling a coordinator');
    },
  });
  const hosts = createWorkerHosts(options, (host) => consumers.follow(host));
  const heartbeat = createHeartbeat(presence, hosts, software.version, attempt);
  const closeAll = async (): Promise<void> => {
    // Hosts end first: chunks under way fail at once and go back to the queue, where the next worker finds them.
    await hosts.close();
    await consumers.close(!connected());
    await cancellations.close();
    await Promise.all(Object.values(queues).map((queue) => queue.close()));
  };

  try {
    await warmUp(hosts.all, models, logger);
    await hosts.readTelemetry();
    // Before any job is taken up: a coordinator asks who is there.
    await untilTaken(heartbeat.announce, logger);
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
  heartbeat.start();
  const { worker } = heartbeat;
  logger.info(
    ...logLine('worker_ready', { worker, devices: devices.map(({ name, lanes }) => ({ name, lanes })) }),
  );

  return {
    id: worker,
    async close() {
      heartbeat.stop();
      // What waits for a server that does not come back would wait for ever.
      const impatience = setTimeout(() => disconnectAll(redis), CLOSE_MILLISECONDS);
      const closing = closeAll();
      await coordinators.close(!connected());
      await closing;
      if (connected()) await heartbeat.leave().catch(() => undefined);
      clearTimeout(impatience);
    },
  };
}
