import { createHash, randomBytes } from 'node:crypto';
import type { Queue } from 'bullmq';
import { type Asked, type Kind, KINDS, samplesPerInput } from '../contract/kinds.ts';
import { DomainError } from '../errors.ts';
import type { InputKind } from '../models/inputs/input-tensor.ts';
import type { RegisteredModel } from '../models/store.ts';
import { gaussianLaw } from '../random/noise-law.ts';
import { type Claim, fingerprintOf } from './idempotency.ts';
import type { JobRecord, JobRequest } from './job-record.ts';
import { type JobRef, queueId } from './job-ref.ts';
import type { IdempotencyKey, JobStore } from './job-store.ts';
import type { Keys } from './keys.ts';
import {
  type JobInputs,
  type LargeInputs,
  sizeOf,
  storingMilliseconds,
  WITH_THE_RECORD,
} from './large-inputs.ts';
import { type CoordinatorData, enqueueCoordination } from './queues.ts';

/** An input as a client hands it over. */
export interface SubmittedInput {
  readonly id: string;
  readonly kind: InputKind;
  readonly bytes: Uint8Array;
  readonly label: number | null;
}

/** A request that has passed validation. */
export type Submission<K extends Kind = Kind> = {
  readonly model: RegisteredModel;
  readonly inputs: readonly SubmittedInput[];
  /** Only to draw the votes of an earlier job again: its seed, 64 hexadecimal digits, and where in it the inputs start. */
  readonly reproduction: { readonly seed: string; readonly firstIndex: number } | null;
} & Asked<K>;

/** A job, and what it waits for now. */
export interface ObservedJob extends JobRecord {
  /** Words that follow "waiting for"; null where somebody can draw for it, or it has ended. */
  readonly waitingFor: string | null;
}

/** A submitted job; `replayed` where an earlier request under the same key has created it. */
export interface Created {
  readonly job: ObservedJob;
  readonly replayed: boolean;
}

/** What a job is created of. */
interface Order {
  readonly submission: Submission;
  readonly asked: JobRequest;
  readonly inputs: JobInputs;
  readonly claim: IdempotencyKey | null;
}

/**
 * Under an idempotency key there is one job: who asks again gets the first one's, as it stands now.
 *
 * @param key the client's, null without one
 * @param admit called before a job is created, not where the key stands for one; what it throws refuses the request
 * @throws DomainError `idempotency_key_reused` where the key stands for another request, `idempotency_key_in_use` while
 *   one under the same key is under way in this process
 */
export type Submit = (
  submission: Submission,
  key: string | null,
  admit: () => Promise<void>,
) => Promise<Created>;

export interface SubmitOptions {
  readonly keys: Keys;
  readonly owner: string;
  readonly jobs: JobStore;
  readonly queue: Queue<CoordinatorData>;
  readonly largeInputs: LargeInputs;
  /** Runs what asks Redis, for a limited time; the signal aborts when the caller has been told that it is over. */
  available<Value>(action: (late: AbortSignal) => Promise<Value>, more?: number): Promise<Value>;
  findObserved(kind: Kind, id: string): Promise<ObservedJob>;
}

function request<K extends Kind>(submission: Submission<K>): JobRequest<K> {
  const { kind, model, parameters, reproduction } = submission;
  const { name, version } = model.manifest;
  return {
    kind,
    model: { name, version, digest: model.digest },
    parameters,
    noise: gaussianLaw(parameters.sigma),
    // Drawn after everything else about the request is fixed, so that nobody can choose inputs to suit the noise.
    seed: reproduction?.seed ?? randomBytes(32).toString('hex'),
    seedSource: reproduction === null ? 'server' : 'client',
    firstIndex: reproduction?.firstIndex ?? 0,
  };
}

/** Makes jobs of requests, one under each idempotency key. */
export function createSubmit({
  keys,
  owner,
  jobs,
  queue,
  largeInputs,
  available,
  findObserved,
}: SubmitOptions): Submit {
  /** Idempotency keys of requests under way here. Between processes the script that creates a job decides. */
  const inFlight = new Set<string>();

  /** The job that was created under a key before, as it stands now. */
  async function replay(kind: Kind, claim: IdempotencyKey, first: Claim): Promise<ObservedJob> {
    if (first.fingerprint !== claim.fingerprint) throw new DomainError('idempotency_key_reused');
    const job = await findObserved(kind, first.id);
    // Whoever created it may have died before it was queued; what is queued already stays as it is.
    if (job.status === 'queued') await enqueueCoordination(queue, job);
    return job;
  }

  /**
   * Creates and queues a job. With a key it is not withdrawn where that fails half-way: another request under the key may have been
   * told of it, and whoever asks again under the key finds it.
   */
  async function create({ submission, asked, inputs, claim }: Order): Promise<Created> {
    const { kind } = submission;
    const job: JobRef = { owner, id: `${KINDS[kind].idPrefix}_${randomBytes(12).toString('hex')}` };
    const { entries: said, bytes } = inputs;
    const counted = {
      inputs: said.length,
      labelled: said.filter(({ label }) => label !== null).length,
      contents: bytes.size,
      samplesPlanned: said.length * samplesPerInput(submission),
    };
    const size = sizeOf(inputs);
    const ahead = size > WITH_THE_RECORD;
    if (ahead) await available((late) => largeInputs.store(job, inputs, late), storingMilliseconds(size));
    return available(async (late) => {
      try {
        const first = await jobs.create(job, asked, counted, ahead ? null : inputs, claim);
        late.throwIfAborted();
        if (claim !== null && first !== null)
          return { job: await replay(kind, claim, first), replayed: true };
        await enqueueCoordination(queue, job);
        late.throwIfAborted();
      } catch (error) {
        // Not acknowledged, so not kept, even if a command that was given up is carried out later: these come after it
        // on the same connection. If they are lost with the connection, a worker may still run the job.
        if (claim === null)
          await Promise.allSettled([queue.remove(queueId(job)), jobs.forget(job, submission.kind)]);
        throw error;
      }
      return { job: await findObserved(kind, job.id), replayed: false };
    });
  }

  return async (submission, key, admit) => {
    const bytes = new Map<string, Uint8Array>();
    const said = submission.inputs.map(({ id, kind, bytes: content, label }) => {
      const digest = createHash('sha256').update(content).digest('hex');
      bytes.set(digest, content);
      return { id, kind, digest, label };
    });
    const asked = request(submission);
    const order: Order = { submission, asked, inputs: { entries: said, bytes }, claim: null };
    if (key === null) {
      await admit();
      return create(order);
    }
    const { kind } = submission;
    const claim = { key, fingerprint: fingerprintOf(asked, said) };
    const name = keys.idempotency(owner, kind, key);
    if (inFlight.has(name)) throw new DomainError('idempotency_key_in_use');
    inFlight.add(name);
    try {
      const first = await available(() => jobs.claimed(owner, kind, key));
      if (first !== null) return { job: await available(() => replay(kind, claim, first)), replayed: true };
      await admit();
      return await create({ ...order, claim });
    } finally {
      inFlight.delete(name);
    }
  };
}
