import type { Device } from '../devices/device.ts';
import type { ComputeTarget } from '../engines/compute-target.ts';
import type { Failure } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RegisteredModel } from '../models/store.ts';
import { type BatchMemory, FORGETFUL } from './batch-memory.ts';
import type { MeasuredBatch } from './batch-size.ts';
import { HostCrashedError, type HostStart, type Incarnation, startIncarnation } from './incarnation.ts';
import type { LoadOutcome, WarmModel, Work, WorkOutcome } from './protocol.ts';

/** How a piece of work ended, and what drew it. */
export type DrawOutcome =
  | (Extract<WorkOutcome, { kind: 'sampled' }> & Pick<WarmModel, 'engine' | 'batchSize'>)
  | Exclude<WorkOutcome, { kind: 'sampled' }>;

/** How a piece of work ended on one device; a failure says in which process of its host. */
export type HostOutcome =
  | Exclude<DrawOutcome, { kind: 'failed' }>
  | ({ readonly kind: 'failed'; readonly incarnation: number } & Failure);

/** A worker's handle on the host process of one device. */
export interface DeviceHost {
  readonly device: Device;
  /** Process id of the living host, or null between two of them. */
  pid(): number | null;
  /** How often a host was started after one had crashed: the number of the last incarnation. */
  restarts(): number;
  /** Batches of the next process are the measured ones halved so often; not below one row. */
  setHalvings(times: number): void;
  /**
   * Ends the process now, if there is one; calls under way reject with HostCrashedError.
   *
   * @param incarnation which one it must be; any unless given
   */
  kill(incarnation?: number): void;
  /** Loads a model, in a new host if the last one crashed. Loading the same model again costs nothing. */
  load(model: RegisteredModel): Promise<LoadOutcome>;
  /**
   * Draws a piece of work. Rejects with HostCrashedError if the host dies; nothing of the work has been counted then.
   *
   * @param signal aborting it ends the work within one batch of every lane
   */
  sample(work: Work, signal: AbortSignal, onProgress: (samples: number) => void): Promise<HostOutcome>;
  close(): Promise<void>;
}

/** A model that is not loaded after so long never will be; TensorRT takes minutes to build an engine. */
const LOAD_MILLISECONDS = 15 * 60_000;

export interface DeviceHostOptions extends Pick<HostStart, 'launch' | 'hungMilliseconds'> {
  /** Where measured batch sizes are kept; nowhere unless given. */
  readonly batches?: BatchMemory;
}

/**
 * Starts nothing yet: the host process starts with the first call, and again with the first call after a crash.
 *
 * @param target what its sessions must compute on
 * @param environment all of the host's environment variables; they are in force before any library loads
 */
export function createDeviceHost(
  device: Device,
  target: ComputeTarget,
  environment: NodeJS.ProcessEnv,
  logger: Logger,
  { batches = FORGETFUL, ...options }: DeviceHostOptions = {},
): DeviceHost {
  const listeners = new Map<string, (samples: number) => void>();
  const measured = new Map<string, MeasuredBatch>();
  let halvings = 0;
  let current: Incarnation | null = null;
  let starts = 0;
  let calls = 0;
  let closing = false;

  function start(): Incarnation {
    if (closing) throw new HostCrashedError('the device host is closed', null);
    starts += 1;
    return startIncarnation(
      starts - 1,
      { device, target, environment, logger, ...options },
      (workId, samples) => listeners.get(workId)?.(samples),
      (incarnation) => {
        if (current === incarnation) current = null;
      },
    );
  }

  async function loadOn(incarnation: Incarnation, model: RegisteredModel): Promise<LoadOutcome> {
    const { loads, rpc, watch } = incarnation;
    let loading = loads.get(model.digest);
    if (loading === undefined) {
      // The host is asked each time: only it knows whether it had to close the model for others.
      const earlier = measured.get(model.digest) ?? null;
      const batchSize = Math.max(1, Math.floor((earlier?.batchSize ?? 1) / 2 ** halvings));
      loading = watch.loading(
        batches
          .recall(model.digest)
          .then((remembered) =>
            incarnation.answer(rpc.load(model, earlier && { ...earlier, batchSize }, remembered)),
          ),
      );
      loads.set(model.digest, loading);
    }
    const limit = setTimeout(() => {
      incarnation.kill(`did not load ${model.manifest.name} in ${LOAD_MILLISECONDS / 60_000} minutes`);
    }, LOAD_MILLISECONDS);
    try {
      const outcome = await loading;
      if (outcome.kind === 'loaded' && !measured.has(model.digest)) {
        measured.set(model.digest, outcome);
        const { engine, batchSize, samplesPerSecond } = outcome;
        await batches.remember(model.digest, { engine, batchSize, samplesPerSecond });
      }
      return outcome;
    } finally {
      clearTimeout(limit);
      loads.delete(model.digest);
    }
  }

  return {
    device,
    pid: () => current?.pid ?? null,
    restarts: () => Math.max(0, starts - 1),
    setHalvings(times) {
      halvings = times;
    },
    kill(incarnation = current?.number) {
      if (current?.number === incarnation) current?.kill();
    },
    load: async (model) => loadOn((current ??= start()), model),
    async sample(work, signal, onProgress) {
      const incarnation = (current ??= start());
      const { number, rpc, watch } = incarnation;
      const loaded = await loadOn(incarnation, work.model);
      if (loaded.kind === 'failed') return { ...loaded, incarnation: number };
      if (signal.aborted) return { kind: 'aborted' };
      // A queue may hand out a piece of work again while its first attempt still runs: each call has an id of its own.
      calls += 1;
      const id = `${work.id}#${calls}`;
      const abort = (): void => void rpc.abort(id);
      listeners.set(id, onProgress);
      signal.addEventListener('abort', abort, { once: true });
      const batchMilliseconds = (1000 * device.lanes * loaded.batchSize) / loaded.samplesPerSecond;
      try {
        const outcome = await watch.owing(batchMilliseconds, incarnation.answer(rpc.sample({ ...work, id })));
        if (outcome.kind === 'failed') return { ...outcome, incarnation: number };
        if (outcome.kind === 'aborted') return outcome;
        const { engine, batchSize } = loaded;
        return { ...outcome, engine, batchSize };
      } finally {
        signal.removeEventListener('abort', abort);
        listeners.delete(id);
      }
    },
    async close() {
      closing = true;
      await current?.close();
    },
  };
}
