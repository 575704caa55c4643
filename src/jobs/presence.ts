import type { Redis } from 'ioredis';
import type { DeviceKind } from '../engines/compute-target.ts';
import type { NoiseScheme } from '../random/noise-law.ts';
import type { DeviceTelemetry } from '../devices/telemetry.ts';
import type { Keys } from './keys.ts';
import type { HostStatus } from '../host/supervised-host.ts';

/** What a worker tells of itself every few seconds. */
export interface WorkerStatus {
  readonly id: string;
  readonly hostname: string;
  readonly pid: number;
  readonly version: string;
  /** What its hosts draw noise by. */
  readonly noise: readonly NoiseScheme[];
  readonly devices: readonly {
    readonly id: string;
    readonly name: string;
    readonly kind: DeviceKind;
    readonly lanes: number;
    readonly driver: string | null;
    /** As it was seconds ago; null before it was read for the first time. */
    readonly telemetry: DeviceTelemetry | null;
    readonly hosts: readonly HostStatus[];
  }[];
}

/** A worker is taken for gone when it has been silent this long. */
export const PRESENCE_MILLISECONDS = 15_000;

/** Who is there: each worker announces itself under a key that Redis lets expire, so no clocks are compared. */
export interface Presence {
  announce(status: WorkerStatus): Promise<void>;
  leave(workerId: string): Promise<void>;
  livingWorkers(): Promise<WorkerStatus[]>;
}

export function createPresence(redis: Redis, keys: Keys): Presence {
  return {
    async announce(status) {
      await redis
        .multi()
        .sadd(keys.workers, status.id)
        .set(keys.worker(status.id), JSON.stringify(status), 'PX', PRESENCE_MILLISECONDS)
        .exec();
    },
    async leave(workerId) {
      await redis.multi().srem(keys.workers, workerId).del(keys.worker(workerId)).exec();
    },
    async livingWorkers() {
      const ids = await redis.smembers(keys.workers);
      if (ids.length === 0) return [];
      const stored = await redis.mget(ids.map((id) => keys.worker(id)));
      const gone = ids.filter((_, index) => stored[index] === null);
      if (gone.length > 0) await redis.srem(keys.workers, ...gone);
      return stored.flatMap((status) =>
        // A release that says nothing of schemes takes chunks from queues that this one fills no more.
        status === null ? [] : [{ noise: [], ...(JSON.parse(status) as Omit<WorkerStatus, 'noise'>) }],
      );
    },
  };
}
