import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Redis } from 'ioredis';

/** Bytes as the fixtures hold them: a text, or base64. */
type Written = string | { readonly base64: string };

interface StoredKey {
  readonly key: string;
  readonly type: 'string' | 'hash' | 'set' | 'zset' | 'list' | 'stream';
  readonly expires: boolean;
  readonly value: unknown;
}

/** What a release kept in Redis of a job that runs, with votes and a result, and of one like it that has ended. */
export interface StoredJobs {
  readonly running: string;
  readonly ended: string;
  /** Version of ONNX Runtime that drew the votes. */
  readonly engine: string;
  /** Of each input: selection and estimation votes of the same request, undisturbed. */
  readonly votes: readonly (readonly Record<string, number>[])[];
  readonly stored: readonly StoredKey[];
}

const bytesOf = (written: Written): Buffer =>
  typeof written === 'string' ? Buffer.from(written) : Buffer.from(written.base64, 'base64');

/** A fixture that `write.mjs` has made, with votes as those of the version of ONNX Runtime that is installed. */
export function readStoredJobs(layout: 'without-owner' | 'version-1'): StoredJobs {
  const text = readFileSync(new URL(`../fixtures/stored-jobs/${layout}.json`, import.meta.url), 'utf8');
  const { engine } = JSON.parse(text) as StoredJobs;
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return JSON.parse(text.replaceAll(engine, version)) as StoredJobs;
}

/** Writes the stored keys into a server, as they were. */
export async function restore(redis: Redis, { stored }: StoredJobs): Promise<void> {
  for (const { key, type, expires, value } of stored) {
    if (type === 'stream') {
      for (const [id, fields] of value as [string, string[]][]) await redis.xadd(key, id, ...fields);
    } else if (type === 'string') await redis.set(key, bytesOf(value as Written));
    else {
      const values = (value as Written[]).map(bytesOf);
      const pairs = values.flatMap((each, index) => (index % 2 === 1 ? [each, values[index - 1]!] : []));
      if (type === 'hash') await redis.hset(key, ...values);
      if (type === 'zset') await redis.zadd(key, ...pairs);
      if (type === 'set') await redis.sadd(key, ...values);
      if (type === 'list') await redis.rpush(key, ...values);
    }
    if (expires) await redis.expire(key, 3_600);
  }
}
