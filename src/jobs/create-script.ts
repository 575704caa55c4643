import type { Script } from './run-script.ts';
import { JOB_EVENTS } from './scripts.ts';

/**
 * Creates a job whose entries and bytes are all there: those that are given, and those stored before, which expire unless
 * they are claimed here. Nothing is written where some are missing. A client's idempotency key is taken in the same step; where
 * it stands for another job nothing is created, and what was stored before goes.
 * KEYS: job, entries, inputs, list, active, and the idempotency key if there is one. ARGV: id, owner and id, time, inputs in all,
 * different contents in all, what is kept under the idempotency key, for how many seconds, how many of the following belong to the record, then its fields and values; how many belong to the entries, then indices and entries;
 * then digests and bytes.
 * Answers 1 if it was created, also by the same command before; 0 where inputs are missing; else what the key stands for.
 */
export const CREATE: Script = {
  name: 'createJob',
  lua: `${JOB_EVENTS}
local at = 8
local function store(key, last)
  while at < last do
    redis.call('HSET', key, ARGV[at + 1], ARGV[at + 2])
    at = at + 2
  end
end
local taken = KEYS[6] and redis.call('GET', KEYS[6])
if taken == ARGV[6] then return 1 end
if taken then
  redis.call('UNLINK', KEYS[2], KEYS[3])
  return taken
end
local recordEnd = 8 + tonumber(ARGV[8])
local entriesEnd = recordEnd + 1 + tonumber(ARGV[recordEnd + 1])
local function present(key, given)
  return redis.call('HLEN', key) + given / 2
end
if present(KEYS[2], entriesEnd - recordEnd - 1) ~= tonumber(ARGV[4]) then return 0 end
if present(KEYS[3], #ARGV - entriesEnd) ~= tonumber(ARGV[5]) then return 0 end
store(KEYS[1], recordEnd)
at = recordEnd + 1
store(KEYS[2], entriesEnd)
store(KEYS[3], #ARGV)
redis.call('PERSIST', KEYS[2])
redis.call('PERSIST', KEYS[3])
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[1])
redis.call('SADD', KEYS[5], ARGV[2])
if KEYS[6] then redis.call('SET', KEYS[6], ARGV[6], 'EX', ARGV[7]) end
happened('type', 'status', 'status', 'queued')
return 1`,
};
