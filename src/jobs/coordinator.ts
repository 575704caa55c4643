import { DelayedError, type Job } from 'bullmq';
import { hasEnded } from '../contract/status.ts';
import { DomainError, type Failure, failureOf } from '../errors.ts';
import { logLine } from '../log-events.ts';
import type { ModelStore, RegisteredModel } from '../models/store.ts';
import type { Logger } from '../logger.ts';
import { drawsLaw } from '../random/noise-law.ts';
import type { Software } from '../version.ts';
import type { ChunkFeed, FedJob } from './chunk-feed.ts';
import { chunkSize } from './chunk-size.ts';
import { createDecision } from './decision.ts';
import type { EntryStore } from './entries.ts';
import type { JobRecord } from './job-record.ts';
import type { JobStore } from './job-store.ts';
import { inputsOf, inputWindows } from './input-windows.ts';
import type { JobRef } from './job-ref.ts';
import { leaveToNewer } from './leave-to-newer.ts';
import { gatherDraws, type Plan, type RoundDraws } from './plan.ts';
import { poolHosts, waitsFor } from './pool.ts';
import { modelAvailability } from './model-availability.ts';
import { createPoolBinding } from './pool-binding.ts';
import { prepareInputs } from './prepare-inputs.ts';
import type { Presence } from './presence.ts';
import type { CoordinatorData } from './queues.ts';
import { findModel, requireModel } from './require-model.ts';
import { requireNoise } from './require-noise.ts';
import type { ResultStore } from './result-store.ts';
import { isOfThisWorker } from './retry.ts';
import type { SamplingStore } from './sampling-store.ts';
import { failInput, settleInput } from './settlement.ts';
import { isNewerRelease } from './stored/format.ts';
import { coordinationFormat } from './stored/queue-data.ts';
import { createVoteReader } from './vote-reader.ts';

// The coordinator of one job: a step that looks at the job, does what is to be done, and leaves.
//
//   take up      queued -> running; a job that is to be cancelled ends here
//   bind         it gets the pool that draws its samples, or another one where that has been gone for long
//   under way?   chunks of the last round that the queue has lost are queued again; inputs whose chunk failed for good fail
//   prepare      every input becomes its uint8 tensor, or fails alone
//   settle       undecided inputs are settled; what they ask for makes the next round, and its first chunks are queued
//   end          every input has a result
//
// It is called when a job is submitted, when the last chunk of a round has ended, when a chunk has failed for good, and every
// few seconds for every job that has not ended (reconcile.ts): a call that comes too early, twice or in vain does no harm.
// Everything it knows is in Redis, and every step may be repeated: killed anywhere, the next one goes on from there. Two
// coordinators of one job write the same things under the same keys.

export interface CoordinatorDependencies {
  readonly jobs: JobStore;
  readonly entries: EntryStore;
  readonly sampling: SamplingStore;
  readonly results: ResultStore;
  readonly feed: ChunkFeed;
  readonly models: ModelStore;
  readonly presence: Pick<Presence, 'livingWorkers'>;
  readonly poolGoneSeconds: number;
  readonly software: Software;
  readonly logger: Logger;
}

/** A coordinator that lacks the job's model, or does not draw its noise, leaves the job to another for so long. */
const ELSEWHERE_MILLISECONDS = 300;

export function createCoordinator(
  dependencies: CoordinatorDependencies,
): (job: Job<CoordinatorData>, token: string) => Promise<void> {
  const { jobs, entries, sampling, results, feed, models, presence, software, logger } = dependencies;
  const stores = { entries, sampling, results };
  const bindPool = createPoolBinding(dependencies);

  /** Ends the job as its inputs' results say. */
  async function end(job: JobRef, why: Failure): Promise<void> {
    const record = await jobs.get(job);
    if (record === null || hasEnded(record.status)) return;
    const { decided, failed } = record.counts;
    const status = failed === 0 ? 'succeeded' : decided > 0 ? 'partially_succeeded' : 'failed';
    await jobs.end(job, status, status === 'failed' ? why : null);
    logger.info(...logLine('job_ended', { job: job.id, status, decided, failed }));
  }

  /** Fails every input that has no result, and ends the job. */
  async function giveUp(record: JobRecord, error: Failure): Promise<void> {
    const plan = await sampling.plan(record);
    const { engine } = record;
    if (engine !== null) await feed.withdraw({ ...record, engine });
    for (const window of inputWindows(record.inputsTotal)) {
      const undecided = await results.undecided(record, inputsOf(window));
      await Promise.all(undecided.map((input) => failInput(stores, record, plan, input, error)));
    }
    await end(record, error);
  }

  /** Sees to the chunks of the round under way; answers whether there are any. */
  async function isUnderWay(job: FedJob, plan: Plan): Promise<boolean> {
    const { lost, failed } = await feed.lookAfter(job);
    for (const chunk of failed) {
      const error = (await sampling.errorOf(job, chunk)) ?? {
        code: 'sampling_failed' as const,
        detail: 'the samples were lost with worker after worker',
      };
      for (const input of new Set(plan.chunk(chunk).map((segment) => segment.input))) {
        await failInput(stores, job, plan, input, error);
      }
      await sampling.giveUp(job, chunk);
    }
    if (lost.length + failed.length > 0)
      logger.debug(...logLine('chunks_looked_after', { job: job.id, lost, failed }));
    await feed.restore(job, lost);
    const { ended } = await sampling.progress(job);
    if (ended >= plan.chunks) return false;
    await feed.fill(job);
    return true;
  }

  /** Whether the job still runs at this binding: what was read of one that does not says nothing about it. */
  async function stillRuns(job: FedJob): Promise<boolean> {
    const now = await jobs.get(job);
    return now?.status === 'running' && now.binding === job.binding;
  }

  /** Settles every input that has no result; answers what they ask for, or null where the job went on without this. */
  async function settleAll(job: FedJob, plan: Plan, model: RegisteredModel): Promise<RoundDraws | null> {
    const decision = createDecision(job.request, model, software);
    const votes = createVoteReader(sampling, job, plan);
    const asked = gatherDraws();
    for (const window of inputWindows(job.inputsTotal)) {
      const undecided = await results.undecided(job, inputsOf(window));
      const digests = await prepareInputs(stores, job, plan, model, undecided);
      const lacking: number[] = [];
      for (const input of undecided) {
        const digest = digests.get(input);
        // One that cannot be a tensor has failed.
        if (digest === undefined) continue;
        const settled = await settleInput(stores, job, plan, votes, decision, input, digest);
        if (settled.kind === 'draw') asked.add(settled.draws);
        if (settled.kind === 'waiting') lacking.push(input);
      }
      if (lacking.length === 0) continue;
      if (!(await stillRuns(job))) return null;
      for (const input of lacking) {
        // Its chunks have ended without votes. Where they were dropped because it was decided meanwhile, this does nothing.
        const detail = 'its samples were given up';
        await failInput(stores, job, plan, input, { code: 'sampling_failed', detail });
      }
    }
    return (await stillRuns(job)) ? asked : null;
  }

  async function storeRound(job: FedJob, number: number, asked: RoundDraws): Promise<void> {
    const { inputs, samples, fewest } = asked;
    if (samples === 0) throw new Error('inputs ask for no samples');
    const hosts = poolHosts(await presence.livingWorkers(), job.request, job.engine);
    await sampling.storeRound(job, number, asked.round(chunkSize(samples, hosts, fewest)));
    logger.debug(...logLine('round_planned', { job: job.id, round: number, inputs, samples }));
  }

  async function coordinate(ref: JobRef): Promise<void> {
    // Before anything is written: a job of a newer release is left alone.
    if ((await jobs.statusOf(ref)) === null) return;
    const status = await jobs.transition(ref, ['queued'], 'running');
    if (status === null || hasEnded(status)) return;
    const record = await jobs.get(ref);
    if (record === null) return;
    const { engine: known, request } = record;
    if (record.status === 'cancelling') {
      if (known !== null) await feed.withdraw({ ...record, engine: known });
      return jobs.end(ref, 'cancelled', null);
    }
    const bound = await bindPool(record);
    if (bound.kind === 'over') return;
    if (bound.kind === 'failed') return giveUp(record, bound.error);
    if (bound.kind === 'rebound') return coordinate(ref);
    const { engine } = bound;
    const able = findModel(models, request.model) !== null && drawsLaw(request.noise);
    if (engine === null || (bound.kind === 'waiting' && !able)) return;
    // What is missing here, another worker has.
    const model = requireModel(models, request.model);
    requireNoise(request.noise);
    const job: FedJob = { ...record, engine };

    for (;;) {
      const plan = await sampling.plan(job);
      if (plan.chunks > 0 && (await isUnderWay(job, plan))) return;
      if (plan.chunks === 0 && bound.kind === 'waiting') return;
      const asked = await settleAll(job, plan, model);
      if (asked === null) return;
      if (asked.inputs === 0) {
        return end(ref, { code: 'sampling_failed', detail: 'no input could be decided; each says why' });
      }
      // All votes that were asked for are there: that needs no pool, but more of them do.
      if (bound.kind === 'waiting') return;
      await storeRound(job, plan.rounds, asked);
    }
  }

  /** Whether a worker that is there can draw for the job, as this one cannot, or is loading its model still or again. */
  async function isOnItsWay(ref: JobRef): Promise<boolean> {
    const record = await jobs.get(ref);
    if (record === null) return false;
    const workers = await presence.livingWorkers();
    const model = findModel(models, record.request.model);
    if (model !== null && drawsLaw(record.request.noise))
      return modelAvailability(workers, model).state === 'loading';
    return waitsFor(workers, { engine: null, request: record.request }) === null;
  }

  return async function coordinateOrFail(job, token) {
    let ref: JobRef | null = null;
    try {
      ref = coordinationFormat.unwrap(job.data);
      await coordinate(ref);
    } catch (error) {
      if (isNewerRelease(error)) throw await leaveToNewer(job, token, error, logger);
      if (!(error instanceof DomainError) || ref === null) throw error;
      if (isOfThisWorker(error.code) && (await isOnItsWay(ref))) {
        await job.moveToDelayed(Date.now() + ELSEWHERE_MILLISECONDS, token);
        throw new DelayedError();
      }
      // After the last attempt the job fails with the reason that is part of the contract; any other error is a fault of
      // the server, and reconciliation ends the job.
      if (job.attemptsMade + 1 < (job.opts.attempts ?? 1)) throw error;
      const failure = failureOf(error, 'internal_error');
      const record = await jobs.get(ref);
      if (record?.status === 'running') await giveUp(record, failure);
      logger.error(...logLine('job_failed', { job: ref.id, ...failure }));
    }
  };
}
