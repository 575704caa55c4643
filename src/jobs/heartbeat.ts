import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { DRAWN_SCHEMES } from '../random/noise-law.ts';
import { type Presence, PRESENCE_MILLISECONDS } from './presence.ts';
import type { WorkerHosts } from './worker-hosts.ts';

/** What a worker tells of itself, again and again, so that it is known to be there. */
export interface Heartbeat {
  /** The worker's name, a new one each time that it starts. */
  readonly worker: string;
  announce(): Promise<void>;
  /** Announces and looks at the devices from now on. */
  start(): void;
  stop(): void;
  /** Takes the worker off the list, where it would stand until it has been silent for long. */
  leave(): Promise<void>;
}

const BEAT_MILLISECONDS = PRESENCE_MILLISECONDS / 3;

/** @param attempt does what can be done again later */
export function createHeartbeat(
  presence: Presence,
  hosts: WorkerHosts,
  version: string,
  attempt: (action: () => Promise<unknown>, what: string) => void,
): Heartbeat {
  const id = randomUUID();
  const timers: NodeJS.Timeout[] = [];
  const announce = (): Promise<void> =>
    presence.announce({
      id,
      hostname: hostname(),
      pid: process.pid,
      version,
      noise: DRAWN_SCHEMES,
      devices: hosts.status(),
    });
  return {
    worker: id,
    announce,
    start() {
      timers.push(
        setInterval(() => attempt(announce, 'heartbeat'), BEAT_MILLISECONDS),
        // Apart from the heartbeat, which must not wait for a driver that is slow to answer.
        setInterval(() => void hosts.readTelemetry(), BEAT_MILLISECONDS),
      );
    },
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
    leave: () => presence.leave(id),
  };
}
