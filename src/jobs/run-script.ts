import type { Redis } from 'ioredis';
import type { JobRef } from './job-ref.ts';
import type { Keys } from './keys.ts';

/** A Lua script under a name of its own. */
export interface Script {
  readonly name: string;
  readonly lua: string;
}

export type ScriptValue = string | number | Buffer;
type Run = (...values: ScriptValue[]) => Promise<unknown>;

/** Runs a script, which a connection sends once as a text and after that by its digest. */
export function runScript(
  redis: Redis,
  { name, lua }: Script,
  keys: readonly string[],
  values: readonly ScriptValue[] = [],
): Promise<unknown> {
  return definedOn(redis, name, lua, '')(keys.length, ...keys, ...values);
}

/** The same, with answers as bytes. */
export function runScriptForBytes(
  redis: Redis,
  { name, lua }: Script,
  keys: readonly string[],
  values: readonly ScriptValue[] = [],
): Promise<unknown> {
  return definedOn(redis, name, lua, 'Buffer')(keys.length, ...keys, ...values);
}

function definedOn(redis: Redis, name: string, lua: string, form: '' | 'Buffer'): Run {
  const command = `smoothcert:${name}`;
  const defined = redis as unknown as Record<string, Run>;
  if (defined[command] === undefined) redis.defineCommand(command, { lua });
  return defined[command + form]!.bind(redis);
}

/** Runs a script that appends to the events of the job's owner (`JOB_EVENTS` in scripts.ts). */
export function runJobScript(
  redis: Redis,
  keys: Keys,
  job: JobRef,
  script: Script,
  touched: readonly string[],
  values: readonly ScriptValue[] = [],
): Promise<unknown> {
  const { owner, id } = job;
  return runScript(
    redis,
    script,
    [...touched, keys.events(owner)],
    [...values, owner, id, keys.eventChannel],
  );
}
