import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createBirpc, type BirpcReturn } from 'birpc';
import type { Device } from '../devices/device.ts';
import type { ComputeTarget } from '../engines/compute-target.ts';
import { type Launch, launchAsItIs } from '../launch.ts';
import { logLine } from '../log-events.ts';
import type { RegisteredModel } from '../models/store.ts';
import type { Logger } from '../logger.ts';
import { type BatchMemory, FORGETFUL } from './batch-memory.ts';
import type { MeasuredBatch } from './batch-size.ts';
import type {
  HostFunctions,
  HostSettings,
  LoadOutcome,
  WarmModel,
  Work,
  WorkOutcome,
  WorkerFunctions,
} from './protocol.ts';
import { type HostWatch, watchHost } from './watch-host.ts';

/** The host process ended while it owed answers: its draws are repeated on the next one, with the same votes. */
export class HostCrashedError extends Error {
  override readonly name = 'HostCrashedError';
}

/** How a piece of work ended, and what drew it. */
export type DrawOutcome =
  | (Extract<WorkOutcome, { kind: 'sampled' }> & Pick<WarmModel, 'engine' | 'batchSize'>)
  | Exclude<WorkOutcome, { kind: 'sampled' }>;

interface Incarnation {
  readonly child: ChildProcess;
  readonly rpc: BirpcReturn<HostFunctions, WorkerFunctions>;
  readonly watch: HostWatch;
  /** How it ended; null while it lives. */
  end: string | null;
  /** Whether it was told to end: what is then said of it is no news. */
  dismissed: boolean;
  /** Loads under way, by digest. */
  readonly loads: Map<string, Promise<LoadOutcome>>;
}

/** A worker's handle on the host process of one device. */
export interface DeviceHost {
  readonly device: Device;
  /** Process id of the living host, or null between two of them. */
  pid(): number | null;
  /** How often a host was started after one had crashed. */
  restarts(): number;
  /** Batches of the next process are the measured ones halved so often; not below one row. */
  setHalvings(times: number): void;
  /** Ends the process now, if there is one; calls under way reject with HostCrashedError. */
  kill(): void;
  /** Loads a model, in a new host if the last one crashed. Loading the same model again costs nothing. */
  load(model: RegisteredModel): Promise<LoadOutcome>;
  /**
   * Draws a piece of work. Rejects with HostCrashedError if the host dies; nothing of the work has been counted then.
   *
   * @param signal aborting it ends the work within one batch of every lane
   */
  sample(work: Work, signal: AbortSignal, onProgress: (samples: number) => void): Promise<DrawOutcome>;
  close(): Promise<void>;
}

/** A model that is not loaded after so long never will be; TensorRT takes minutes to build an engine. */
const LOAD_MILLISECONDS = 15 * 60_000;

export interface DeviceHostOptions {
  /** How its process is started; as it is unless given. */
  readonly launch?: Launch;
  /** How long a host may give no sign of life before it is killed and its draws are repeated. */
  readonly hungMilliseconds?: number;
  /** Where measured batch sizes are kept; nowhere unless given. */
  readonly batches?: BatchMemory;
}

/** Milliseconds that a host has to end by itself when its channel closes: one batch of the slowest model and more. */
const CLOSE_GRACE = 5_000;

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
  { launch = launchAsItIs, hungMilliseconds, batches = FORGETFUL }: DeviceHostOptions = {},
): DeviceHost {
  const listeners = new Map<string, (samples: number) => void>();
  const measured = new Map<string, MeasuredBatch>();
  let halvings = 0;
  let current: Incarnation | null = null;
  let starts = 0;
  let calls = 0;
  let closing = false;

  function start(): Incarnation {
    if (closing) throw new HostCrashedError('the device host is closed');
    starts += 1;
    const settings: HostSettings = { lanes: device.lanes, target };
    // A host is a program of its own: options that Node was given for the worker are not for it.
    const command = launch(process.execPath, []);
    const child = fork(
      fileURLToPath(new URL('./host-process.js', import.meta.url)),
      [JSON.stringify(settings)],
      {
        env: environment,
        execPath: command.executable,
        execArgv: [...command.args],
        serialization: 'advanced',
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) =>
        logger.warn(...logLine('device_host_output', { device: device.id, hostPid: child.pid, line })),
      );
    }
    const watch = watchHost((silence) => {
      incarnation.end = silence;
      const facts = { device: device.id, hostPid: child.pid, silence };
      logger.error(...logLine('device_host_hung', facts));
      child.kill('SIGKILL');
    }, hungMilliseconds);
    const rpc = createBirpc<HostFunctions, WorkerFunctions>(
      {
        progress(workId, samples) {
          watch.counted();
          listeners.get(workId)?.(samples);
        },
        alive: () => watch.alive(),
      },
      {
        // A failed send means that the host is gone; its exit rejects the call.
        post: (message) => child.connected && child.send(message, () => undefined),
        on: (listener) => child.on('message', listener),
        timeout: -1,
        eventNames: ['abort'],
      },
    );
    const incarnation: Incarnation = { child, rpc, watch, end: null, dismissed: false, loads: new Map() };
    const gone = (reason: string): void => {
      watch.stop();
      if (current === incarnation) current = null;
      incarnation.end ??= reason;
      rpc.$close(new HostCrashedError(`the host of ${device.id} ${reason}`));
      if (closing) return;
      const facts = { device: device.id, hostPid: child.pid, reason };
      if (incarnation.dismissed) logger.debug(...logLine('device_host_ended', facts));
      else logger.error(...logLine('device_host_crashed', facts));
    };
    child.once('exit', (code, signal) => gone(signal === null ? `exited with ${code}` : `died of ${signal}`));
    child.once('error', (error) => gone(`could not be started: ${error.message}`));
    logger.debug(
      ...logLine('device_host_started', { device: device.id, hostPid: child.pid, lanes: device.lanes }),
    );
    return incarnation;
  }

  /** Turns the rejection of a closed channel into the one error that callers wait for. */
  async function answer<Result>(incarnation: Incarnation, call: Promise<Result>): Promise<Result> {
    try {
      return await call;
    } catch (cause) {
      const end = incarnation.end ?? 'did not answer';
      throw new HostCrashedError(`the host of ${device.id} ${end}`, { cause });
    }
  }

  async function loadOn(incarnation: Incarnation, model: RegisteredModel): Promise<LoadOutcome> {
    const { child, loads, rpc, watch } = incarnation;
    let loading = loads.get(model.digest);
    if (loading === undefined) {
      // The host is asked each time: only it knows whether it had to close the model for others.
      const earlier = measured.get(model.digest) ?? null;
      const batchSize = Math.max(1, Math.floor((earlier?.batchSize ?? 1) / 2 ** halvings));
      loading = watch.loading(
        batches
          .recall(model.digest)
          .then((remembered) =>
            answer(incarnation, rpc.load(model, earlier && { ...earlier, batchSize }, remembered)),
          ),
      );
      loads.set(model.digest, loading);
    }
    const limit = setTimeout(() => child.kill('SIGKILL'), LOAD_MILLISECONDS);
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
    pid: () => current?.child.pid ?? null,
    restarts: () => Math.max(0, starts - 1),
    setHalvings(times) {
      halvings = times;
    },
    kill() {
      if (current === null) return;
      current.dismissed = true;
      current.child.kill('SIGKILL');
    },
    load: async (model) => loadOn((current ??= start()), model),
    async sample(work, signal, onProgress) {
      const incarnation = (current ??= start());
      const loaded = await loadOn(incarnation, work.model);
      if (loaded.kind === 'failed') return loaded;
      const { rpc, watch } = incarnation;
      if (signal.aborted) return { kind: 'aborted' };
      // A queue may hand out a piece of work again while its first attempt still runs: each call has an id of its own.
      calls += 1;
      const id = `${work.id}#${calls}`;
      const abort = (): void => void rpc.abort(id);
      listeners.set(id, onProgress);
      signal.addEventListener('abort', abort, { once: true });
      const batchMilliseconds = (1000 * device.lanes * loaded.batchSize) / loaded.samplesPerSecond;
      try {
        const outcome = await watch.owing(
          batchMilliseconds,
          answer(incarnation, rpc.sample({ ...work, id })),
        );
        if (outcome.kind !== 'sampled') return outcome;
        const { engine, batchSize } = loaded;
        return { ...outcome, engine, batchSize };
      } finally {
        signal.removeEventListener('abort', abort);
        listeners.delete(id);
      }
    },
    async close() {
      closing = true;
      if (current === null) return;
      const { child } = current;
      const exited = once(child, 'exit');
      const killer = setTimeout(() => child.kill('SIGKILL'), CLOSE_GRACE);
      if (child.connected) child.disconnect();
      await exited;
      clearTimeout(killer);
    },
  };
}
