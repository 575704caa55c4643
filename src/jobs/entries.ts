import type { JobEntry } from './job-record.ts';
import type { Redis } from 'ioredis';
import type { JobRef } from './job-ref.ts';
import type { Keys } from './keys.ts';
import { entryFormat } from './stored/inputs.ts';

/** Reads what clients said of their inputs. It never changes, and is kept as long as the results. */
export interface EntryStore {
  /** Entries of inputs [first, first + count); null where the job has none, or none any more. */
  read(job: JobRef, first: number, count: number): Promise<(JobEntry | null)[]>;
}

export function createEntryStore(redis: Redis, keys: Keys): EntryStore {
  return {
    async read(job, first, count) {
      if (count < 1) return [];
      const fields = Array.from({ length: count }, (_, offset) => String(first + offset));
      const stored = await redis.hmget(keys.entries(job), ...fields);
      return stored.map((entry) => (entry === null ? null : entryFormat.read(entry)));
    },
  };
}

/** Index and entry of each input in turn, as they are stored. */
export function entryFields(entries: readonly JobEntry[], from = 0): string[] {
  return entries.flatMap((entry, offset) => [String(from + offset), entryFormat.write(entry)]);
}
