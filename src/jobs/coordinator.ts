import { type Job, WaitingChildrenError } from 'bullmq';
import { hasEnded } from '../contract/status.ts';
import type { EngineDescription } from '../engines/engine.ts';
import { DomainError, type Failure } from '../errors.ts';
import { toInputTensor } from '../models/inputs/input-tensor.ts';
import type { ModelStore, RegisteredModel } from '../models/store.ts';
import type { Logger } from '../logger.ts';
import type { Software } from '../version.ts';
import { createDecision, type Decision } from './decision.ts';
import type { JobRecord } from './job-record.ts';
import type { JobStore } from './job-store.ts';
import { chunkSize, type InputDraws, packChunks } from './plan.ts';
import { choosePool, poolSpeeds } from './pool.ts';
import type { Presence } from './presence.ts';
import type { CoordinatorData, SamplingQueues } from './queues.ts';
import { requireModel } from './require-model.ts';
import type { ResultStore } from './result-store.ts';
import { chunkKey, type SamplingStore } from './sampling-store.ts';
import { failInput, settleInput } from './settlement.ts';

// The coordinator of one job: a step job that runs from the top each time it is woken.
//
//   take up      queued -> running; a job that is to be cancelled ends here
//   bind         it gets the pool that draws all its samples
//   prepare      every input becomes its uint8 tensor, or fails alone
//   round r      undecided inputs are settled; what they ask for is packed into chunks and stored as round r's plan
//   wait         the chunks are BullMQ children; the coordinator sleeps without a worker slot until all have ended
//   end          every input has a result
//
// Everything it knows is in Redis, and every step may be repeated: killed anywhere, the next run goes on from there. Two
// coordinators of one job, which a stall can bring about, write the same things under the same keys.

export interface CoordinatorDependencies {
  readonly jobs: JobStore;
  readonly sampling: SamplingStore;
  readonly results: ResultStore;
  readonly samplingQueues: Pick<SamplingQueues, 'of'>;
  readonly models: ModelStore;
  readonly presence: Pick<Presence, 'livingWorkers'>;
  readonly software: Software;
  readonly logger: Logger;
}

/**
 * A chunk whose device fails is tried this often, with the same votes at every attempt: more often than devices that
 * fail stay in service, so that one that works gets it; not for ever, so that a chunk that kills every host ends.
 */
const CHUNK_ATTEMPTS = 40;

export function createCoordinator(
  dependencies: CoordinatorDependencies,
): (job: Job<CoordinatorData>, token: string) => Promise<void> {
  const { jobs, sampling, results, samplingQueues, models, presence, software, logger } = dependencies;

  /** Ends the job as its inputs' results say. */
  async function end(id: string): Promise<void> {
    const record = await jobs.get(id);
    if (record === null || hasEnded(record.status)) return;
    const { decided, failed } = record.counts;
    const status = failed === 0 ? 'succeeded' : decided > 0 ? 'partially_succeeded' : 'failed';
    const error: Failure | null =
      status === 'failed'
        ? { code: 'sampling_failed', detail: 'no input could be decided; each says why' }
        : null;
    await jobs.end(id, status, error);
    logger.info({ job: id, status, decided, failed }, 'job ended');
  }

  /** Tensor digests of the inputs that can be sampled; the others get their failure. */
  async function prepare(record: JobRecord, model: RegisteredModel): Promise<Map<number, string>> {
    const { id, request } = record;
    const digests = new Map<number, string>();
    const stored = await sampling.tensorDigests(id, [...request.inputs.keys()]);
    const known = await results.read(id, 0, request.inputs.length);
    for (const [index, input] of request.inputs.entries()) {
      const digest = stored[index] ?? null;
      if (digest !== null) {
        digests.set(index, digest);
        continue;
      }
      if (known[index]?.kind === 'failed') continue;
      const bytes = await sampling.inputBytes(id, input.digest);
      if (bytes === null) {
        await failInput(results, record, index, {
          code: 'internal_error',
          detail: 'the input is not stored any more',
        });
        continue;
      }
      try {
        const made = await toInputTensor(input.kind, bytes, model.manifest);
        await sampling.storeTensor(id, index, made);
        digests.set(index, made.digest);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        await failInput(results, record, index, { code: error.code, detail: error.message });
      }
    }
    return digests;
  }

  /** Adds the children of a round that have neither votes nor a job yet; answers the chunks that failed for good. */
  async function ensureChildren(
    parent: Job<CoordinatorData>,
    { id, request }: JobRecord,
    engine: EngineDescription,
    round: number,
    asked: readonly InputDraws[],
  ) {
    const samplingQueue = samplingQueues.of(engine);
    const chunks = await sampling.plan(id, round, async () => {
      const total = asked.reduce(
        (sum, { draws }) => sum + draws.reduce((part, draw) => part + draw.count, 0),
        0,
      );
      const speeds = poolSpeeds(await presence.livingWorkers(), request.model.digest, engine);
      return packChunks(asked, chunkSize(total, speeds));
    });
    const childIds = chunks.map((_, index) => `${id}.${chunkKey(round, index)}`);
    const votes = await sampling.votes(
      id,
      chunks.map((_, index) => chunkKey(round, index)),
    );
    const failed: string[] = [];
    const missing: number[] = [];
    const undrawn = [...chunks.keys()].filter((index) => votes[index] === null);
    // Asked together: no device has work until the answers to as many questions as there are chunks are there.
    const states = await Promise.all(undrawn.map((index) => samplingQueue.getJobState(childIds[index]!)));
    for (const [position, index] of undrawn.entries()) {
      if (states[position] === 'failed') failed.push(chunkKey(round, index));
      else if (states[position] === 'unknown') missing.push(index);
    }
    await samplingQueue.addBulk(
      missing.map((index) => ({
        name: 'sample',
        data: { id, chunkKey: chunkKey(round, index), chunk: chunks[index]! },
        opts: {
          jobId: childIds[index]!,
          // Chunk k of every job comes before chunk k + 1 of any: a long job does not hold up a short one.
          priority: 1 + Math.min(index, 2_000_000),
          attempts: CHUNK_ATTEMPTS,
          backoff: { type: 'custom' as const },
          removeOnComplete: true,
          removeOnFail: { age: 24 * 3600 },
          parent: { id: parent.id!, queue: parent.queueQualifiedName },
          // A chunk that fails for good costs the inputs it draws for, not the job: finished results stay valid.
          ignoreDependencyOnFailure: true,
        },
      })),
    );
    return failed;
  }

  /** Settles every input; returns what the procedures still ask for, or the round that is still under way. */
  async function settleAll(record: JobRecord, decision: Decision, digests: ReadonlyMap<number, string>) {
    const asked: InputDraws[] = [];
    const waiting = new Map<string, number[]>();
    const known = await results.read(record.id, 0, record.request.inputs.length);
    for (const [input, digest] of digests) {
      if (known[input] !== null) continue;
      const settled = await settleInput({ sampling, results }, record, decision, input, digest);
      if (settled.kind === 'draw') asked.push(settled.draws);
      if (settled.kind === 'waiting') {
        for (const chunk of settled.chunks) waiting.set(chunk, [...(waiting.get(chunk) ?? []), input]);
      }
    }
    return { asked, waiting };
  }

  return async function coordinateOrFail(job, token) {
    try {
      await coordinate(job, token);
    } catch (error) {
      // After the last attempt the job fails with the reason that is part of the contract; any other error is a fault of
      // the server, and reconciliation ends the job.
      const last = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
      if (!last || !(error instanceof DomainError)) throw error;
      await jobs.end(job.data.id, 'failed', { code: error.code, detail: error.message });
      logger.error({ job: job.data.id, code: error.code, detail: error.message }, 'job failed');
    }
  };

  async function coordinate(job: Job<CoordinatorData>, token: string): Promise<void> {
    const { id } = job.data;
    const status = await jobs.transition(id, ['queued'], 'running');
    if (status === null || hasEnded(status)) return;
    if (status === 'cancelling') return jobs.end(id, 'cancelled', null);
    const record = await jobs.get(id);
    if (record === null) return;
    // Where it is missing, another worker may have it; after the last attempt the job fails with this reason.
    const model = requireModel(models, record.request.model);
    const engine = record.engine ?? (await bind(record));
    if (engine === null) return;
    const decision = createDecision(record.request, model, software);
    const digests = await prepare(record, model);

    for (;;) {
      const { asked, waiting } = await settleAll(record, decision, digests);
      if (asked.length === 0 && waiting.size === 0) return end(id);
      // Chunks that wait belong to the last round that has a plan; new draws make the next round.
      const round = waiting.size > 0 ? lastRound(waiting.keys()) : await nextRound(id, asked);
      const failed = await ensureChildren(job, record, engine, round, asked);
      for (const chunk of failed) {
        const error = (await sampling.errorOf(id, chunk)) ?? {
          code: 'sampling_failed' as const,
          detail: 'the samples were lost with worker after worker',
        };
        for (const input of waiting.get(chunk) ?? []) await failInput(results, record, input, error);
      }
      if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
      const now = (await jobs.get(id))?.status;
      if (now === 'cancelling') return jobs.end(id, 'cancelled', null);
      if (now === undefined || hasEnded(now)) return;
      logger.debug({ job: id, round, failed, waiting: waiting.size, asked: asked.length }, 'round looked at');
    }
  }

  /** Binds the job to the pool that is fastest now; null where the job has ended meanwhile. */
  async function bind({ id, request }: JobRecord): Promise<EngineDescription | null> {
    const engine = choosePool(await presence.livingWorkers(), request.model.digest);
    if (engine === null) {
      throw new DomainError('model_unavailable', `no worker has loaded ${request.model.name} as asked for`);
    }
    const bound = await jobs.bind(id, engine);
    if (bound !== null) logger.info({ job: id, engine: bound }, 'job bound to a pool');
    return bound;
  }

  async function nextRound(id: string, asked: readonly InputDraws[]): Promise<number> {
    const chunks = await sampling.chunksOf(id, asked[0]!.input);
    return chunks.length === 0 ? 0 : 1 + lastRound(chunks.map(({ key }) => key));
  }
}

function lastRound(chunkKeys: Iterable<string>): number {
  return Math.max(...Array.from(chunkKeys, (key) => Number(key.split('.')[0])));
}
