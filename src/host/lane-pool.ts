import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createBirpc, type BirpcReturn } from 'birpc';
import { DomainError, failureOf } from '../errors.ts';
import type { ComputeTarget } from '../engines/compute-target.ts';
import type { RegisteredModel } from '../models/store.ts';
import type { EngineDescription } from '../engines/engine.ts';
import type { RememberedBatch } from './batch-memory.ts';
import type { MeasuredBatch } from './batch-size.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';
import type { HostFunctions, HostSettings, LaneFunctions, LoadOutcome } from './protocol.ts';

/** Models kept open at a time; opening another closes the one whose last use is longest ago. */
const OPEN_MODELS = 8;
/** Tasks of about this length keep message costs below a percent and progress lively. */
const TASK_MILLISECONDS = 50;

type Lane = BirpcReturn<LaneFunctions>;

/**
 * The lanes of one device: loads models on all of them, deals work out in tasks, adds the votes up.
 *
 * A lane that dies takes the process with it: the worker then starts a new host and repeats what was not finished.
 */
export function createLanePool(
  { lanes: laneCount, target }: HostSettings,
  progress: (workId: string, samples: number) => void,
): HostFunctions {
  const lanes = Array.from({ length: laneCount }, () => startLane(target));
  const models = new Map<string, Promise<LoadOutcome>>();
  const queue: WorkQueue = createWorkQueue(lanes, progress);

  /** Measures on one lane while the others rest, so that no batch size is disturbed by another's trial. */
  async function measure(digest: string): Promise<MeasuredBatch> {
    const { batchSize, samplesPerSecond } = await lanes[0]!.measure(digest);
    return { batchSize, samplesPerSecond: samplesPerSecond * lanes.length };
  }

  /**
   * Gives every lane its batch: of the size that was measured, or by halves less where the device has no room for as many
   * batches as there are lanes.
   */
  async function prepare(digest: string, batchSize: number): Promise<number> {
    const prepared = await Promise.allSettled(lanes.map((lane) => lane.prepare(digest, batchSize)));
    const failed = prepared.find((each) => each.status === 'rejected');
    if (failed === undefined) return (prepared[0] as PromiseFulfilledResult<number>).value;
    if (target.kind === 'cpu' || batchSize < 2) throw failed.reason;
    return prepare(digest, Math.floor(batchSize / 2));
  }

  /** What is remembered of the model in this engine, if the model still rounds the same way with it. */
  async function recalled(
    digest: string,
    engine: EngineDescription,
    remembered: readonly RememberedBatch[],
  ): Promise<MeasuredBatch | null> {
    const found = remembered.find((each) => isDeepStrictEqual(each.engine, engine));
    return found !== undefined && (await lanes[0]!.suits(digest, found.batchSize)) ? found : null;
  }

  async function open(
    model: RegisteredModel,
    earlier: MeasuredBatch | null,
    remembered: readonly RememberedBatch[],
  ): Promise<LoadOutcome> {
    try {
      if (target.kind === 'webgpu' && laneCount > 1) {
        // Two threads that open sessions at once end the process (SIGSEGV), and two that run them spoil each other's commands.
        throw new DomainError(
          'config_invalid',
          `WebGPU takes one lane, not ${laneCount}: its sessions share a device`,
        );
      }
      // Files of gigabytes are read and followed on a lane: this thread says meanwhile that the process lives.
      const verified = await lanes[0]!.verify(model);
      if (verified.kind === 'failed') return verified;
      const outcomes = await Promise.all(lanes.map((lane) => lane.open(verified.model)));
      const failed = outcomes.find((outcome) => outcome.kind === 'failed');
      // A model that this device has run before, whose files are still the same, is not what is wrong.
      if (failed !== undefined) return earlier === null ? failed : { ...failed, code: 'device_failed' };
      const [engine, ...others] = outcomes.flatMap((each) => (each.kind === 'opened' ? [each.engine] : []));
      if (engine === undefined || others.some((each) => !isDeepStrictEqual(each, engine)))
        throw new DomainError('device_failed', 'the lanes of the device do not compute the model alike');
      const known = earlier ?? (await recalled(model.digest, engine, remembered));
      const { batchSize, samplesPerSecond } = known ?? (await measure(model.digest));
      const prepared = await prepare(model.digest, batchSize);
      return { kind: 'loaded', engine, batchSize: prepared, samplesPerSecond };
    } catch (error) {
      return { kind: 'failed', ...failureOf(error, 'model_invalid') };
    }
  }

  async function makeRoom(): Promise<void> {
    for (const digest of models.keys()) {
      if (models.size < OPEN_MODELS) return;
      if (queue.uses(digest)) continue;
      models.delete(digest);
      await Promise.all(lanes.map((lane) => lane.forget(digest)));
    }
  }

  return {
    async load(model, earlier, remembered) {
      let loading = models.get(model.digest);
      models.delete(model.digest);
      if (loading === undefined) {
        await makeRoom();
        loading = open(model, earlier, remembered);
      }
      models.set(model.digest, loading);
      const outcome = await loading;
      // A failed load is forgotten: the operator may mend the files while the host lives.
      if (outcome.kind === 'failed') models.delete(model.digest);
      return outcome;
    },
    async sample(work) {
      const loaded = await models.get(work.model.digest);
      if (loaded?.kind !== 'loaded') {
        return {
          kind: 'failed',
          code: 'model_unavailable',
          detail: `${work.model.manifest.name} is not loaded`,
        };
      }
      const perTask = (loaded.samplesPerSecond / laneCount / 1000) * TASK_MILLISECONDS;
      const batches = Math.max(1, Math.round(perTask / loaded.batchSize));
      return queue.add(work, batches * loaded.batchSize, loaded.engine.batch);
    },
    abort: (workId) => queue.abort(workId),
  };
}

function startLane(target: ComputeTarget): Lane {
  const thread = new Worker(new URL('./lane-thread.js', import.meta.url), { workerData: target });
  thread.on('error', (error) => {
    process.stderr.write(`lane failed: ${error.stack ?? String(error)}\n`);
    process.exit(70); // EX_SOFTWARE of sysexits.h
  });
  return createBirpc<LaneFunctions>(
    {},
    {
      post: (message) => thread.postMessage(message),
      on: (listener) => thread.on('message', listener),
      timeout: -1,
      eventNames: ['begin', 'end'],
    },
  );
}
