import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createBirpc, type BirpcReturn } from 'birpc';
import type { Device } from '../devices/device.ts';
import type { ComputeTarget } from '../engines/compute-target.ts';
import { type Launch, launchAsItIs } from '../launch.ts';
import { logLine } from '../log-events.ts';
import type { Logger } from '../logger.ts';
import {
  type HostFunctions,
  type HostSettings,
  type LoadOutcome,
  PROTOCOL,
  type WorkerFunctions,
} from './protocol.ts';
import { type HostWatch, watchHost } from './watch-host.ts';

/** The host process ended while it owed answers: its draws are repeated on the next one, with the same votes. */
export class HostCrashedError extends Error {
  override readonly name = 'HostCrashedError';
  /** Which process of its host; null where none was started. */
  readonly incarnation: number | null;

  constructor(message: string, incarnation: number | null, options?: ErrorOptions) {
    super(message, options);
    this.incarnation = incarnation;
  }
}

/** One process of a device host, from its start to its end. */
export interface Incarnation {
  /** How many came before it. */
  readonly number: number;
  readonly pid: number | null;
  readonly rpc: BirpcReturn<HostFunctions, WorkerFunctions>;
  readonly watch: HostWatch;
  /** Loads under way, by digest. */
  readonly loads: Map<string, Promise<LoadOutcome>>;
  /** The answer to a call. @throws HostCrashedError where the process ends first, whatever the channel says of it */
  answer<Result>(call: Promise<Result>): Promise<Result>;
  /** Ends it now: for a fault of its own, or because it is not wanted any more, which is no news. */
  kill(fault?: string): void;
  /** Lets it end by itself, for a while. */
  close(): Promise<void>;
}

/** Milliseconds that a host has to end by itself when its channel closes: one batch of the slowest model and more. */
const CLOSE_GRACE = 5_000;

/** How the process of a host is started. */
export interface HostStart {
  readonly device: Device;
  /** What its sessions must compute on. */
  readonly target: ComputeTarget;
  /** All of its environment variables; they are in force before any library loads. */
  readonly environment: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** As it is unless given. */
  readonly launch?: Launch | undefined;
  /** How long it may give no sign of life before it is killed and its draws are repeated. */
  readonly hungMilliseconds?: number | undefined;
}

/**
 * Starts one.
 *
 * @param progress called with the samples that a piece of work has counted meanwhile
 * @param gone called once, when it has ended or could not be started
 */
export function startIncarnation(
  number: number,
  { device, target, environment, logger, launch = launchAsItIs, hungMilliseconds }: HostStart,
  progress: (workId: string, samples: number) => void,
  gone: (incarnation: Incarnation) => void,
): Incarnation {
  const settings: HostSettings = { protocol: PROTOCOL, lanes: device.lanes, target };
  // A host is a program of its own: options that Node was given for the worker are not for it.
  const command = launch(process.execPath, []);
  const program = fileURLToPath(new URL('./host-process.js', import.meta.url));
  const child = fork(program, [JSON.stringify(settings)], {
    env: environment,
    execPath: command.executable,
    execArgv: [...command.args],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const facts = { device: device.id, hostPid: child.pid };
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) =>
      logger.warn(...logLine('device_host_output', { ...facts, line })),
    );
  }
  /** How it ended; null while it lives. */
  let end: string | null = null;
  let dismissed = false;
  const watch = watchHost((silence) => {
    logger.error(...logLine('device_host_hung', { ...facts, silence }));
    incarnation.kill(silence);
  }, hungMilliseconds);
  const rpc = createBirpc<HostFunctions, WorkerFunctions>(
    {
      progress(workId, samples) {
        watch.counted();
        progress(workId, samples);
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
  const crashed = (cause?: unknown): HostCrashedError =>
    new HostCrashedError(`the host of ${device.id} ${end ?? 'did not answer'}`, number, { cause });
  const incarnation: Incarnation = {
    number,
    pid: child.pid ?? null,
    rpc,
    watch,
    loads: new Map(),
    async answer(call) {
      try {
        return await call;
      } catch (cause) {
        throw crashed(cause);
      }
    },
    kill(fault) {
      if (fault === undefined) dismissed = true;
      else end ??= fault;
      child.kill('SIGKILL');
    },
    async close() {
      dismissed = true;
      const exited = once(child, 'exit');
      const killer = setTimeout(() => child.kill('SIGKILL'), CLOSE_GRACE);
      if (child.connected) child.disconnect();
      await exited;
      clearTimeout(killer);
    },
  };
  const ended = (reason: string): void => {
    watch.stop();
    end ??= reason;
    gone(incarnation);
    rpc.$close(crashed());
    if (dismissed) logger.debug(...logLine('device_host_ended', { ...facts, reason }));
    else logger.error(...logLine('device_host_crashed', { ...facts, reason }));
  };
  child.once('exit', (code, signal) => ended(signal === null ? `exited with ${code}` : `died of ${signal}`));
  child.once('error', (error) => ended(`could not be started: ${error.message}`));
  logger.debug(...logLine('device_host_started', { ...facts, lanes: device.lanes }));
  return incarnation;
}
