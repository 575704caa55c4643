import type { Redis } from 'ioredis';
import { type JobRef, refText } from './job-ref.ts';
import type { Keys } from './keys.ts';

/**
 * Carries the wish to cancel to whoever samples. The wish itself is the job's status, which every step reads; the message
 * only makes it arrive at once, so losing one costs a fraction of a second.
 */
export interface Cancellations {
  /** A signal that aborts when the job's cancellation is announced; release it when the work is over. */
  watch(job: JobRef): { readonly controller: AbortController; readonly release: () => void };
  close(): Promise<void>;
}

export function announceCancellation(redis: Redis, keys: Keys, job: JobRef): Promise<number> {
  return redis.publish(keys.cancellations, refText(job));
}

/** Listens on a connection of its own, since a subscribed connection can do nothing else. */
export async function listenForCancellations(redis: Redis, keys: Keys): Promise<Cancellations> {
  const watched = new Map<string, Set<AbortController>>();
  const subscriber = redis.duplicate();
  subscriber.on('error', () => undefined);
  subscriber.on('message', (_channel: string, name: string) => {
    for (const controller of watched.get(name) ?? []) controller.abort();
  });
  await subscriber.subscribe(keys.cancellations);
  return {
    watch(job) {
      const name = refText(job);
      const controller = new AbortController();
      const controllers = watched.get(name) ?? new Set();
      watched.set(name, controllers.add(controller));
      return {
        controller,
        release: () => {
          controllers.delete(controller);
          if (controllers.size === 0) watched.delete(name);
        },
      };
    },
    async close() {
      subscriber.disconnect();
    },
  };
}
