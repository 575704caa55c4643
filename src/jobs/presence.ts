import type { Redis } from 'ioredis';
import { failureOf } from '../errors.ts';
import type { Keys } from './keys.ts';
import { workerStatusFormat, type WorkerStatus } from './stored/worker-status.ts';

/** A worker is taken for gone when it has been silent this long. */
export const PRESENCE_MILLISECONDS = 15_000;

/** Who is there: each worker announces itself under a key that Redis lets expire, so no clocks are compared. */
export interface Presence {
  announce(status: WorkerStatus): Promise<void>;
  leave(workerId: string): Promise<void>;
  livingWorkers(): Promise<WorkerStatus[]>;
}

/** @param onUnread told of a worker that cannot be understood, such as one of a newer release: it is nobody, here */
export function createPresence(
  redis: Redis,
  keys: Keys,
  onUnread: (reason: string) => void = () => undefined,
): Presence {
  function read(text: string): WorkerStatus[] {
    try {
      return [workerStatusFormat.read(text)];
    } catch (error) {
      onUnread(failureOf(error, 'internal_error').detail);
      return [];
    }
  }

  return {
    async announce(status) {
      await redis
        .multi()
        .sadd(keys.workers, status.id)
        .set(keys.worker(status.id), workerStatusFormat.write(status), 'PX', PRESENCE_MILLISECONDS)
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
      return stored.flatMap((text) => (text === null ? [] : read(text)));
    },
  };
}
