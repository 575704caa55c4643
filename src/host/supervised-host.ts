import type { HostState } from '../contract/status.ts';
import type { Device } from '../devices/device.ts';
import { type Blame, type ErrorCode, ERRORS, type Failure } from '../errors.ts';
import { logLine } from '../log-events.ts';
import type { EngineName } from '../models/manifest.ts';
import type { RegisteredModel } from '../models/store.ts';
import type { Logger } from '../logger.ts';
import type { DeviceHost, DrawOutcome, HostOutcome } from './device-host.ts';
import { createHostModels, isMissing, type LoadedModel, type RefusedModel } from './host-models.ts';
import { HostCrashedError } from './incarnation.ts';
import type { Work } from './protocol.ts';

// The life of a host in service:
//
//   ready ──> recovering   its process died, hung, or its engine failed: the next draw starts it anew, with half the batch
//     ^           │  └───> ready        a draw succeeded: the measured batch again at the next start
//     │           └──────> out          it failed five times with no draw between: it takes no more draws
//     └── out <── probe <──┘            after a pause, longer each time until a draw succeeds, a new process loads the
//                                       models again
//
// A host whose engine is not installed here is out for good: nothing that this process waits for would change that.
//
// Draws that fail go back to their queue, where any host of the pool takes them.

export interface HostStatus {
  readonly engine: EngineName;
  readonly state: HostState;
  /** Why it is not ready; null when it is. */
  readonly reason: string | null;
  /** When the state began, milliseconds since the epoch. */
  readonly since: number;
  readonly hostPid: number | null;
  readonly restarts: number;
  /** Samples counted a second, over the last ten seconds. */
  readonly samplesPerSecond: number;
  readonly models: readonly LoadedModel[];
  readonly refused: readonly RefusedModel[];
}

/** A device host that is kept in service, or taken out of it. */
export interface SupervisedHost {
  readonly device: Device;
  status(): HostStatus;
  /** Loads every model for the first time; a host that can load none is out, and the answer says why. */
  start(): Promise<Failure | null>;
  /**
   * Draws a piece of work. Faults of the device and of its process are `device_failed`: another attempt, here or
   * elsewhere, may succeed.
   */
  draw(work: Work, signal: AbortSignal, onProgress: (samples: number) => void): Promise<DrawOutcome>;
  close(): Promise<void>;
}

export interface SupervisionTimes {
  readonly firstPause: number;
  readonly longestPause: number;
}

/** Milliseconds that a host stays out: short for a passing fault, and no burden for a card that is dead. */
const TIMES: SupervisionTimes = { firstPause: 2_000, longestPause: 60_000 };
/** Failures in a row that take a host out: enough to halve a batch of 256 down to 16. */
const OUT_AFTER = 5;
const SPEED_MILLISECONDS = 10_000;

/** Whether the device is suspected of what fails in a draw: faults that nobody else has made may be its process's. */
const SUSPECTED: Readonly<Record<Blame, boolean>> = {
  caller: false,
  input: false,
  model: false,
  device: true,
  operator: false,
  server: true,
};

/** Whether a draw that failed so speaks against the device that drew it. */
export function blamesDevice(code: ErrorCode): boolean {
  return SUSPECTED[ERRORS[code].blame];
}

export interface Supervision {
  readonly host: DeviceHost;
  readonly engine: EngineName;
  readonly models: readonly RegisteredModel[];
  readonly logger: Logger;
  /** Called after every change of state. */
  readonly onChange: () => void;
  readonly times?: SupervisionTimes;
}

export function superviseHost(supervision: Supervision): SupervisedHost {
  const { host, engine, models, logger, onChange, times = TIMES } = supervision;
  const { device } = host;
  const known = createHostModels(host, engine, models, logger);
  const counted: { readonly at: number; readonly samples: number }[] = [];
  let state: HostState = 'recovering';
  let reason: string | null = 'starting';
  let since = Date.now();
  let failures = 0;
  /** The incarnation that failed last: several draws lost with one process are one failure. */
  let lastFailed = -1;
  let pause = times.firstPause;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function change(to: HostState, why: string | null): void {
    if (closed) return;
    if (to !== state) {
      since = Date.now();
      logger.info(
        ...logLine('device_host_state_changed', { device: device.id, engine, from: state, to, reason: why }),
      );
    }
    state = to;
    reason = why;
    onChange();
  }

  function takeOut({ code, detail }: Failure): void {
    clearTimeout(timer);
    // Its process ends: what it holds of the device is free, and the probe starts from nothing.
    host.kill();
    lastFailed = host.restarts();
    if (closed) return;
    change('out', detail);
    if (isMissing({ code, detail })) return;
    timer = setTimeout(() => void probe(), pause);
    pause = Math.min(2 * pause, times.longestPause);
  }

  async function probe(): Promise<void> {
    const failure = await known.loadAll();
    if (closed) return;
    if (failure !== null) return takeOut(failure);
    serve();
  }

  /** In service; a model that its process or device has broken off is loaded later. */
  function serve(): void {
    failures = 0;
    host.setHalvings(0);
    change('ready', null);
    if (!known.refused().some(({ code }) => code === 'device_failed')) return;
    timer = setTimeout(() => void probe(), pause);
    pause = Math.min(2 * pause, times.longestPause);
  }

  function failed(why: string, incarnation: number): void {
    if (closed || state === 'out' || incarnation <= lastFailed) return;
    lastFailed = incarnation;
    failures += 1;
    host.setHalvings(failures);
    logger.warn(...logLine('device_failed', { device: device.id, engine, failures, reason: why }));
    if (failures >= OUT_AFTER) takeOut({ code: 'device_failed', detail: why });
    else change('recovering', why);
  }

  function succeeded(): void {
    failures = 0;
    host.setHalvings(0);
    pause = times.firstPause;
    if (state === 'recovering') change('ready', null);
  }

  /** Tells faults of the device from the model's. */
  function judge(outcome: HostOutcome): DrawOutcome {
    if (outcome.kind === 'sampled') succeeded();
    if (outcome.kind !== 'failed' || !blamesDevice(outcome.code)) return outcome;
    const { detail, incarnation } = outcome;
    // A process whose engine has failed is not trusted with another draw; the next one has done nothing.
    host.kill(incarnation);
    failed(detail, incarnation);
    return { ...outcome, code: 'device_failed' };
  }

  return {
    device,
    status() {
      const now = Date.now();
      while (counted.length > 0 && counted[0]!.at < now - SPEED_MILLISECONDS) counted.shift();
      const samples = counted.reduce((sum, each) => sum + each.samples, 0);
      return {
        engine,
        state,
        reason,
        since,
        hostPid: host.pid(),
        restarts: host.restarts(),
        samplesPerSecond: Math.round((1000 * samples) / SPEED_MILLISECONDS),
        models: known.loaded(),
        refused: known.refused(),
      };
    },
    async start() {
      const failure = await known.loadAll();
      if (failure === null) serve();
      else takeOut(failure);
      return failure;
    },
    async draw(work, signal, onProgress) {
      if (state === 'out') {
        return { kind: 'failed', code: 'device_failed', detail: `${device.name} is out of service` };
      }
      try {
        const outcome = await host.sample(work, signal, (samples) => {
          counted.push({ at: Date.now(), samples });
          onProgress(samples);
        });
        return judge(outcome);
      } catch (error) {
        if (!(error instanceof HostCrashedError)) throw error;
        if (error.incarnation !== null) failed(error.message, error.incarnation);
        return { kind: 'failed', code: 'device_failed', detail: error.message };
      }
    },
    async close() {
      closed = true;
      known.stop();
      clearTimeout(timer);
      await host.close();
    },
  };
}
