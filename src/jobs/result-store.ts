import type { ResultRecord } from './job-record.ts';
import type { Redis } from 'ioredis';
import type { JobRef } from './job-ref.ts';
import type { Keys } from './keys.ts';
import { runJobScript, runScript } from './run-script.ts';
import { STORE_RESULT, UNDECIDED } from './scripts.ts';
import type { InputOutcome } from './stored/event.ts';
import { resultFormat } from './stored/inputs.ts';

/** Keeps the inputs' results. Each is stored once; a second one for the same input is ignored. */
export interface ResultStore {
  /** @param label the input's reference label, for the count of correct ones */
  store(job: JobRef, input: number, result: ResultRecord, label: number | null): Promise<void>;
  /** Those of the inputs that have no result. */
  undecided(job: JobRef, inputs: readonly number[]): Promise<number[]>;
  /** Results of inputs [first, first + count), null where there is none yet. */
  read(job: JobRef, first: number, count: number): Promise<(ResultRecord | null)[]>;
}

/** Inputs asked for in one command: no command holds up others for long. */
const INPUTS_A_COMMAND = 1_000;

export function createResultStore(redis: Redis, keys: Keys): ResultStore {
  return {
    async store(job, input, result, label) {
      const touched = [keys.job(job), keys.results(job)];
      const values = [
        String(input),
        resultFormat.write(result),
        outcomeOf(result),
        ...countersOf(result, label),
      ];
      await runJobScript(redis, keys, job, STORE_RESULT, touched, values);
    },
    async undecided(job, inputs) {
      const found: number[] = [];
      for (let from = 0; from < inputs.length; from += INPUTS_A_COMMAND) {
        const some = inputs.slice(from, from + INPUTS_A_COMMAND);
        found.push(...((await runScript(redis, UNDECIDED, [keys.results(job)], some)) as number[]));
      }
      return found;
    },
    async read(job, first, count) {
      if (count < 1) return [];
      const fields = Array.from({ length: count }, (_, offset) => String(first + offset));
      const stored = await redis.hmget(keys.results(job), ...fields);
      return stored.map((result) => (result === null ? null : resultFormat.read(result)));
    },
  };
}

/** What an input's event says became of it. */
function outcomeOf(result: ResultRecord): InputOutcome {
  if (result.kind === 'failed') return 'failed';
  return result.kind === 'reproduction' ? 'reproduced' : result.outcome;
}

function countersOf(result: ResultRecord, label: number | null): string[] {
  if (result.kind === 'failed') return ['failed'];
  if (result.kind === 'reproduction') return ['decided', 'reproduced'];
  if (result.outcome === 'abstained') return ['decided', 'abstained'];
  return ['decided', 'affirmed', ...(label !== null && result.class === label ? ['correct'] : [])];
}
