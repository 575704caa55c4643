import { type Job, UnrecoverableError } from 'bullmq';
import { DomainError, type ErrorCode } from '../errors.ts';
import type { ModelStore } from '../models/store.ts';
import type { Logger } from '../logger.ts';
import { deriveNoiseStream } from '../random/noise-stream.ts';
import type { Software } from '../version.ts';
import type { Cancellations } from './cancellation.ts';
import { createDecision } from './decision.ts';
import type { DrawOutcome } from '../host/device-host.ts';
import type { Work } from '../host/protocol.ts';
import type { JobRecord } from './job-record.ts';
import type { JobStore } from './job-store.ts';
import type { SamplingData } from './queues.ts';
import { requireModel } from './require-model.ts';
import type { ResultStore } from './result-store.ts';
import type { ChunkVotes, SamplingStore } from './sampling-store.ts';
import { describe, settleInput } from './settlement.ts';
import type { SupervisedHost } from '../host/supervised-host.ts';

export interface SamplingDependencies {
  readonly jobs: JobStore;
  readonly sampling: SamplingStore;
  readonly results: ResultStore;
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

/** Progress is written at most this often for a chunk. */
const PROGRESS_MILLISECONDS = 250;

/** Faults that another attempt on another host may not meet again; all others end the chunk at once. */
const RETRIED: readonly ErrorCode[] = [
  'model_unavailable',
  'device_failed',
  'sampling_failed',
  'internal_error',
];

/**
 * The consumer of sampling jobs for one device: fetches what a chunk draws, hands it to the device's host, records the
 * votes, and settles the inputs that are complete with it.
 *
 * A chunk counts whole or not at all. Every failure ends the attempt without votes; the next attempt draws the same
 * samples, with the same votes, on whatever device takes it.
 */
export function createSampler(
  host: SupervisedHost,
  dependencies: SamplingDependencies,
): (job: Job<SamplingData>) => Promise<void> {
  const { jobs, sampling, results, models, cancellations, software, logger, connected } = dependencies;

  async function gatherWork(record: JobRecord, { chunkKey, chunk }: SamplingData): Promise<GatheredWork> {
    const { id, request } = record;
    const model = requireModel(models, request.model);
    const inputs = [...new Set(chunk.map((segment) => segment.input))];
    const tensors = await sampling.tensors(id, inputs);
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
    const segments = chunk.map((segment) => ({ ...segment, input: inputs.indexOf(segment.input) }));
    const { sigma } = request.parameters;
    return { work: { id: `${id}.${chunkKey}`, model, sigma, inputs: work, segments }, digests };
  }

  async function draw(record: JobRecord, data: SamplingData): Promise<void> {
    const { id } = record;
    const { chunkKey } = data;
    const { work, digests } = await gatherWork(record, data);
    const { controller, release } = cancellations.watch(id);
    let drawn = 0;
    let lastWrite = 0;
    const onProgress = (samples: number): void => {
      drawn += samples;
      const now = Date.now();
      if (now - lastWrite < PROGRESS_MILLISECONDS || !connected()) return;
      lastWrite = now;
      // The answer carries the job's status: a cancellation whose message was lost is seen here.
      sampling.record(id, chunkKey, drawn, null).then(
        (status) => status !== 'running' && controller.abort(),
        (error: unknown) => logger.debug({ job: id, error: describe(error) }, 'progress not written'),
      );
    };
    let outcome: DrawOutcome;
    try {
      outcome = await host.draw(work, controller.signal, onProgress);
    } finally {
      release();
    }
    if (outcome.kind === 'aborted') return;
    if (outcome.kind === 'failed') throw new DomainError(outcome.code, outcome.detail);
    const total = data.chunk.reduce((sum, segment) => sum + segment.count, 0);
    const votes: ChunkVotes = {
      segments: outcome.votes.map(sparse),
      classes: work.model.manifest.output.classes,
      engine: outcome.engine,
      device: { name: host.device.name, batchSize: outcome.batchSize },
    };
    await sampling.record(id, chunkKey, total, votes);
    logger.debug({ job: id, chunk: chunkKey, samples: total, timings: outcome.timings }, 'chunk drawn');
    const decision = createDecision(record.request, work.model, software);
    for (const [input, digest] of digests) {
      // Whoever records the last of an input's votes finds them all; the coordinator looks at every input in the end.
      if (!(await sampling.lastIsDrawn(id, input))) continue;
      await settleInput({ sampling, results }, record, decision, input, digest);
    }
  }

  return async function sample(job) {
    const { id, chunkKey } = job.data;
    const record = await jobs.get(id);
    // Nobody waits for the votes of a job that is being cancelled or has ended.
    if (record?.status !== 'running') return;
    const [known] = await sampling.votes(id, [chunkKey]);
    if (known != null) return;
    try {
      await draw(record, job.data);
    } catch (error) {
      const code = error instanceof DomainError ? error.code : 'sampling_failed';
      const detail = describe(error);
      logger.warn(
        { job: id, chunk: chunkKey, attempt: job.attemptsMade + 1, code, detail },
        'chunk not drawn',
      );
      await sampling.recordError(id, chunkKey, { code, detail });
      if (RETRIED.includes(code)) throw error;
      throw new UnrecoverableError(detail);
    }
  };
}

function sparse(votes: readonly number[]): number[] {
  return votes.flatMap((count, index) => (count > 0 ? [index, count] : []));
}
