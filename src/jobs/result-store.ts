import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import type { ResultRecord } from './result-record.ts';
import { STORE_RESULT } from './scripts.ts';

/** Keeps the inputs' results. Each is stored once; a second one for the same input is ignored. */
export interface ResultStore {
  /** @param label the input's reference label, for the count of correct ones */
  store(id: string, input: number, result: ResultRecord, label: number | null): Promise<void>;
  /** Whether every one of the inputs has its result. */
  haveAll(id: string, inputs: readonly number[]): Promise<boolean>;
  /** Results of inputs [first, first + count), null where there is none yet. */
  read(id: string, first: number, count: number): Promise<(ResultRecord | null)[]>;
}

export function createResultStore(redis: Redis, keys: Keys): ResultStore {
  return {
    async store(id, input, result, label) {
      const counters = countersOf(result, label);
      await redis.eval(
        STORE_RESULT,
        2,
        keys.job(id),
        keys.results(id),
        String(input),
        JSON.stringify(result),
        ...counters,
      );
    },
    async haveAll(id, inputs) {
      const found = await Promise.all(inputs.map((input) => redis.hexists(keys.results(id), String(input))));
      return found.every((each) => each === 1);
    },
    async read(id, first, count) {
      if (count < 1) return [];
      const fields = Array.from({ length: count }, (_, offset) => String(first + offset));
      const stored = await redis.hmget(keys.results(id), ...fields);
      return stored.map((result) => (result === null ? null : (JSON.parse(result) as ResultRecord)));
    },
  };
}

function countersOf(result: ResultRecord, label: number | null): string[] {
  if (result.kind === 'failed') return ['failed'];
  if (result.kind === 'reproduction') return ['decided', 'reproduced'];
  if (result.outcome === 'abstained') return ['decided', 'abstained'];
  return ['decided', 'affirmed', ...(label !== null && result.class === label ? ['correct'] : [])];
}
