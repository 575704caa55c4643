import { type Job, UnrecoverableError } from 'bullmq';
import { DomainError, failureOf, messageOf } from '../errors.ts';
import { logLine } from '../log-events.ts';
import type { ModelStore } from '../models/store.ts';
import type { Logger } from '../logger.ts';
import { deriveNoiseStream } from '../random/noise-stream.ts';
import { describeEngine, sameEngine } from '../smoothing/describe-engine.ts';
import type { ChunkVotes } from '../smoothing/evidence.ts';
import { sparseVotes } from '../smoothing/votes.ts';
import type { Software } from '../version.ts';
import type { Cancellations } from './cancellation.ts';
import type { ChunkFeed, FedJob } from './chunk-feed.ts';
import { createDecision } from './decision.ts';
import type { EntryStore } from './entries.ts';
import type { DrawOutcome } from '../host/device-host.ts';
import type { Work } from '../host/protocol.ts';
import type { JobStore } from './job-store.ts';
import type { Chunk, Plan } from './plan.ts';
import { queueId } from './job-ref.ts';
import { leaveToNewer } from './leave-to-newer.ts';
import type { SamplingData } from './queues.ts';
import { requireModel } from './require-model.ts';
import { requireNoise } from './require-noise.ts';
import type { ResultStore } from './result-store.ts';
import { isRetried } from './retry.ts';
import { chunkName, type SamplingStore } from './sampling-store.ts';
import { settleInput } from './settlement.ts';
import { isNewerRelease } from './stored/format.ts';
import { chunkFormat, type QueuedChunk } from './stored/queue-data.ts';
import { createVoteReader } from './vote-reader.ts';
import type { SupervisedHost } from '../host/supervised-host.ts';

export interface SamplingDependencies {
  readonly jobs: JobStore;
  readonly entries: EntryStore;
  readonly sampling: SamplingStore;
  readonly results: ResultStore;
  readonly feed: Pick<ChunkFeed, 'fill'>;
  readonly models: ModelStore;
  readonly cancellations: Cancellations;
  readonly software: Software;
  readonly logger: Logger;
  /** Whether Redis answers: progress is not worth waiting for when it does not. */
  readonly connected: () => boolean;
}

/** What a chunk draws, and the tensor digests of its inputs by index in the job. */
interface GatheredWork {
  readonly work: Work;
  readonly digests: ReadonlyMap<number, string>;
}

/** Inputs of a chunk that are settled at the same time: each waits for Redis, and not for the others. */
const SETTLED_TOGETHER = 128;
/** Progress is written at most this often for a chunk. */
const PROGRESS_MILLISECONDS = 250;

/**
 * The consumer of sampling jobs for one device: fetches what a chunk draws, hands it to the device's host, records the
 * votes, settles the inputs that are complete with it, and sees to it that the job's next chunks are queued.
 *
 * A chunk counts whole or not at all. Every failure ends the attempt without votes; the next attempt draws the same
 * samples, with the same votes, on whatever device takes it.
 */
export function createSampler(
  host: SupervisedHost,
  dependencies: SamplingDependencies,
): (job: Job<SamplingData>, token: string) => Promise<void> {
  const { jobs, entries, sampling, results, feed, models, cancellations, software, logger, connected } =
    dependencies;
  const stores = { entries, sampling, results };

  async function gatherWork(job: FedJob, name: string, chunk: Chunk): Promise<GatheredWork> {
    const { request } = job;
    const model = requireModel(models, request.model);
    requireNoise(request.noise);
    const inputs = [...new Set(chunk.map((segment) => segment.input))];
    const tensors = await sampling.tensors(job, inputs);
    const seed = Buffer.from(request.seed, 'hex');
    const digests = new Map<number, string>();
    const work = await Promise.all(
      inputs.map(async (input, index) => {
        const tensor = tensors[index];
        if (tensor == null) throw new DomainError('sampling_failed', `the tensor of input ${input} is gone`);
        digests.set(input, tensor.digest);
        return {
          bytes: tensor.bytes,
          stream: await deriveNoiseStream(
            seed,
            Buffer.from(tensor.digest, 'hex'),
            request.firstIndex + input,
          ),
        };
      }),
    );
    const positions = new Map(inputs.map((input, index) => [input, index]));
    const segments = chunk.map((segment) => ({ ...segment, input: positions.get(segment.input)! }));
    const { noise } = request;
    return { work: { id: queueId(job, name), model, noise, inputs: work, segments }, digests };
  }

  /** Draws a chunk and records its votes; those of a job that has been cancelled or bound anew meanwhile are nobody's. */
  async function draw(job: FedJob, plan: Plan, number: number): Promise<void> {
    const { id } = job;
    const chunk = plan.chunk(number);
    const { work, digests } = await gatherWork(job, chunkName(job, number), chunk);
    const { controller, release } = cancellations.watch(job);
    let drawn = 0;
    let lastWrite = 0;
    const onProgress = (samples: number): void => {
      drawn += samples;
      const now = Date.now();
      if (now - lastWrite < PROGRESS_MILLISECONDS || !connected()) return;
      lastWrite = now;
      // The answer carries the job's status: a cancellation whose message was lost is seen here.
      sampling.record(job, number, drawn, null).then(
        (status) => status !== 'running' && controller.abort(),
        (error: unknown) =>
          logger.debug(...logLine('progress_not_written', { job: id, error: messageOf(error) })),
      );
    };
    let outcome: DrawOutcome;
    try {
      outcome = await host.draw(work, controller.signal, onProgress);
    } finally {
      release();
    }
    if (outcome.kind === 'aborted') {
      logger.debug(...logLine('chunk_abandoned', { job: id, chunk: chunkName(job, number), samples: drawn }));
      return;
    }
    if (outcome.kind === 'failed') throw new DomainError(outcome.code, outcome.detail);
    // The queue is the pool's, so this says that somebody meddled with it; no vote of another pool may count.
    if (!sameEngine(outcome.engine, job.engine)) {
      const [drew, asked] = [outcome.engine, job.engine].map(describeEngine);
      throw new DomainError('sampling_failed', `drawn by ${drew}, asked of ${asked}`);
    }
    const total = chunk.reduce((sum, segment) => sum + segment.count, 0);
    const votes: ChunkVotes = {
      segments: outcome.votes.map(sparseVotes),
      classes: work.model.manifest.output.classes,
      engine: outcome.engine,
      noise: work.noise,
      device: { name: host.device.name, batchSize: outcome.batchSize },
    };
    await sampling.record(job, number, total, votes);
    const { timings } = outcome;
    logger.debug(
      ...logLine('chunk_drawn', { job: id, chunk: chunkName(job, number), samples: total, timings }),
    );
    const decision = createDecision(job.request, work.model, software);
    const read = createVoteReader(sampling, job, plan);
    const settle = async ([input, digest]: readonly [number, string]): Promise<void> => {
      // Whoever records the last of an input's votes finds them all; the coordinator looks at every input in the end. One
      // look at the last chunk tells, where reading all chunks at the end of each would cost the square of their number.
      const last = plan.chunksOf(input).at(-1);
      if (last === undefined || !(await sampling.hasEnded(job, last))) return;
      await settleInput(stores, job, plan, read, decision, input, digest);
    };
    const drawnFor = [...digests];
    for (let from = 0; from < drawnFor.length; from += SETTLED_TOGETHER)
      await Promise.all(drawnFor.slice(from, from + SETTLED_TOGETHER).map(settle));
  }

  async function sample({ id, owner, binding, chunk: number }: QueuedChunk, attempt: number): Promise<void> {
    const record = await jobs.get({ owner, id });
    // Nobody waits for the votes of a job that is being cancelled, has ended or was bound anew.
    if (record?.status !== 'running' || record.binding !== binding || record.engine === null) return;
    const job: FedJob = { ...record, engine: record.engine };
    const plan = await sampling.plan(job);
    if (number >= plan.chunks) return;
    try {
      if (!(await sampling.hasEnded(job, number))) {
        const inputs = new Set(plan.chunk(number).map(({ input }) => input));
        // Inputs that have failed, or needed fewer votes than were planned, are drawn for no more.
        if ((await results.undecided(job, [...inputs])).length === 0) await sampling.giveUp(job, number);
        else await draw(job, plan, number);
      }
    } catch (error) {
      if (isNewerRelease(error)) throw error;
      const failure = failureOf(error, 'sampling_failed');
      const chunk = chunkName(job, number);
      logger.warn(...logLine('chunk_not_drawn', { job: id, chunk, attempt, ...failure }));
      await sampling.recordError(job, number, failure);
      if (isRetried(failure.code)) throw error;
      throw new UnrecoverableError(failure.detail);
    }
    // Before the queue is told that this chunk is done: whoever repeats it after a crash repeats this too.
    await feed.fill(job);
  }

  return async function sampleOrLeave(job, token) {
    try {
      await sample(chunkFormat.unwrap(job.data), job.attemptsMade + 1);
    } catch (error) {
      if (isNewerRelease(error)) throw await leaveToNewer(job, token, error, logger);
      throw error;
    }
  };
}
