import { type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { isInService } from '../contract/status.ts';
import { logLine } from '../log-events.ts';
import type { Logger } from '../logger.ts';
import { CHUNKS_PER_HOST } from './chunk-size.ts';
import { DRAWN_SCHEMES } from '../random/noise-law.ts';
import type { Keys } from './keys.ts';
import { samplingQueueName } from './pool.ts';
import { type SamplingData, workerOptions } from './queues.ts';
import { chunkFormat, type QueuedChunk } from './stored/queue-data.ts';
import type { SupervisedHost } from '../host/supervised-host.ts';

/**
 * The sampling consumers of a worker: for each host one on the queue of each pool that its models and the schemes of its
 * noise belong to, which is one pool but for engines that choose by model (TensorRT). A host that is out of service takes nothing; its consumers go on
 * when it is back.
 */
export interface SamplingConsumers {
  /** Opens, pauses or resumes the host's consumers, as its state says. */
  follow(host: SupervisedHost): void;
  /** Takes chunks from now on. */
  start(): void;
  /** @param force ends without waiting for chunks under way */
  close(force: boolean): Promise<void>;
}

export function createSamplingConsumers(options: {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly logger: Logger;
  readonly consume: (host: SupervisedHost) => (job: Job<SamplingData>, token: string) => Promise<void>;
  /** Called with a chunk that is not tried again. */
  readonly onGivenUp: (chunk: QueuedChunk) => void;
}): SamplingConsumers {
  const { redis, keys, logger, consume, onGivenUp } = options;
  const open = new Map<SupervisedHost, Map<string, Worker<SamplingData>>>();
  let started = false;
  let closed = false;

  function consumer(host: SupervisedHost, queue: string): Worker<SamplingData> {
    const take = consume(host);
    const worker = new Worker<SamplingData>(
      queue,
      (job, token) => take(job, token!),
      workerOptions(redis, keys, CHUNKS_PER_HOST),
    );
    worker.on('error', (error) => logger.debug(...logLine('queue_error', { queue, error: error.message })));
    worker.on('stalled', (jobId) => logger.warn(...logLine('job_taken_over', { queue, jobId })));
    worker.on('failed', (job) => {
      if (job?.finishedOn !== undefined) onGivenUp(chunkFormat.unwrap(job.data));
    });
    return worker;
  }

  function follow(host: SupervisedHost): void {
    if (closed) return;
    const own = open.get(host) ?? new Map<string, Worker<SamplingData>>();
    open.set(host, own);
    const { state, models } = host.status();
    if (!isInService(state)) {
      // Chunks under way fail by themselves; nothing is waited for.
      for (const worker of own.values()) void worker.pause(true);
      return;
    }
    for (const worker of own.values()) if (worker.isPaused()) void worker.resume();
    if (!started) return;
    for (const { engine } of models) {
      for (const scheme of DRAWN_SCHEMES) {
        const queue = samplingQueueName(engine, scheme);
        if (!own.has(queue)) own.set(queue, consumer(host, queue));
      }
    }
  }

  return {
    follow,
    start() {
      started = true;
      for (const host of open.keys()) follow(host);
    },
    async close(force) {
      closed = true;
      const workers = [...open.values()].flatMap((own) => [...own.values()]);
      await Promise.all(workers.map((worker) => worker.close(force)));
    },
  };
}
