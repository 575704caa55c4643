import { ARROWS, hasEnded, STORED_STATUSES } from '../contract/status.ts';
import type { Script } from './run-script.ts';

// Redis runs a script as one step: what must be decided and written together is decided there. Every script leaves a job
// that is gone (expired, deleted) gone, so that a late writer cannot bring back half of it.

/** Of a record that says none: a week. */
const RETENTION_UNKNOWN = 7 * 24 * 3600;

/**
 * Appends to the events of the job's owner in the step that changes the job, so that no process that dies in between leaves one
 * without the other, and wakes those who wait. What is older than the job's retention goes. The last of KEYS is the stream, the last
 * three of ARGV are owner, id and channel; the scripts below do not see them.
 */
export const JOB_EVENTS = `
local channel, id, owner = table.remove(ARGV), table.remove(ARGV), table.remove(ARGV)
local stream = table.remove(KEYS)
local function append(retention, ...)
  local now = tonumber(redis.call('TIME')[1])
  local oldest = string.format('%.0f', (now - tonumber(retention)) * 1000)
  redis.call('XADD', stream, 'MINID', '~', oldest, '*', 'v', '1', 'job', id, ...)
  if redis.call('TTL', stream) < tonumber(retention) then redis.call('EXPIRE', stream, retention) end
  redis.call('PUBLISH', channel, owner)
end
local function happened(...)
  append(redis.call('HGET', KEYS[1], 'retention') or '${RETENTION_UNKNOWN}', ...)
end`;

/** Lua's table of the statuses that end a job, by status that it may end from. */
const ENDS = `{ ${STORED_STATUSES.map((from) => {
  const ends = ARROWS[from].filter((to) => hasEnded(to)).map((to) => `${to} = true`);
  return `${from} = { ${ends.join(', ')} }`;
}).join(', ')} }`;

/**
 * Changes a job's status if it is one of those allowed.
 * KEYS: job. ARGV: allowed statuses separated by commas, new status, then fields and values to set with it.
 * Answers the status that the job has afterwards, or nil without a job.
 */
export const TRANSITION: Script = {
  name: 'changeStatus',
  lua: `${JOB_EVENTS}
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return nil end
if not string.find(',' .. ARGV[1] .. ',', ',' .. status .. ',', 1, true) then return status end
redis.call('HSET', KEYS[1], 'status', ARGV[2], unpack(ARGV, 3))
happened('type', 'status', 'status', ARGV[2])
return ARGV[2]`,
};

/**
 * Binds a running job to the pool that draws its samples, unless it is bound.
 * KEYS: job. ARGV: engine.
 * Answers the engine that holds, or nil where the job does not run.
 */
export const BIND: Script = {
  name: 'bindJob',
  lua: `${JOB_EVENTS}
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return nil end
if redis.call('HSETNX', KEYS[1], 'engine', ARGV[1]) == 1 then
  happened('type', 'bound', 'binding', redis.call('HGET', KEYS[1], 'binding') or '0', 'engine', ARGV[1])
end
redis.call('HDEL', KEYS[1], 'poolGoneSince')
return redis.call('HGET', KEYS[1], 'engine')`,
};

/**
 * Ends a job: its status, when its record and results expire, and the deletion of everything else, in one step, so that
 * no ended job can keep its inputs for ever. A job that is being cancelled ends `cancelled`, whatever is asked for.
 * KEYS: job, results, entries, active, then the keys to delete. ARGV: new status, owner and id, seconds to keep the record,
 * seconds to keep results and entries, time, when they expire, failure or ''.
 * Answers the status that the job has afterwards, or nil without a job.
 */
export const END: Script = {
  name: 'endJob',
  lua: `${JOB_EVENTS}
local status = redis.call('HGET', KEYS[1], 'status')
if not status then
  redis.call('SREM', KEYS[4], ARGV[2])
  return nil
end
local to = ARGV[1]
if status == 'cancelling' then to = 'cancelled' end
local ends = ${ENDS}
if not ends[status][to] then return status end
redis.call('HSET', KEYS[1], 'status', to, 'finishedAt', ARGV[5], 'expiresAt', ARGV[6])
if to ~= 'cancelled' and ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[7]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('EXPIRE', KEYS[3], ARGV[4])
redis.call('UNLINK', unpack(KEYS, 5))
redis.call('SREM', KEYS[4], ARGV[2])
local names = {'decided', 'failed', 'affirmed', 'abstained', 'reproduced', 'correct'}
local counts = redis.call('HMGET', KEYS[1], unpack(names))
local fields = {}
for i, name in ipairs(names) do
  fields[2 * i - 1] = name
  fields[2 * i] = counts[i] or '0'
end
happened('type', 'status', 'status', to, unpack(fields))
return to`,
};

/**
 * Answers the contents of inputs as far as they come to some number of bytes, and of one at least.
 * KEYS: inputs. ARGV: the bytes, then digests.
 */
export const READ_INPUTS: Script = {
  name: 'readInputs',
  lua: `
local found = {}
local size = 0
for i = 2, #ARGV do
  size = size + redis.call('HSTRLEN', KEYS[1], ARGV[i])
  if i > 2 and size > tonumber(ARGV[1]) then break end
  found[#found + 1] = redis.call('HGET', KEYS[1], ARGV[i])
end
return found`,
};

/**
 * Sets fields of a hash that only a job under way needs.
 * KEYS: job, hash. ARGV: fields and values.
 */
export const SET_WHILE_UNDER_WAY: Script = {
  name: 'setWhileUnderWay',
  lua: `
local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'running' and status ~= 'cancelling' then return 0 end
redis.call('HSET', KEYS[2], unpack(ARGV))
return 1`,
};

/**
 * Stores an input's result unless it has one, and counts it.
 * KEYS: job, results. ARGV: input index, result, outcome, then the counters to raise by one.
 * Answers 1 if it was stored.
 */
export const STORE_RESULT: Script = {
  name: 'storeResult',
  lua: `${JOB_EVENTS}
local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'running' and status ~= 'cancelling' then return 0 end
if redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) == 0 then return 0 end
for i = 4, #ARGV do redis.call('HINCRBY', KEYS[1], ARGV[i], 1) end
happened('type', 'input', 'input', ARGV[1], 'outcome', ARGV[3])
return 1`,
};

/**
 * Answers which of these inputs have no result.
 * KEYS: results. ARGV: input indices.
 */
export const UNDECIDED: Script = {
  name: 'findUndecided',
  lua: `
local found = {}
for i = 1, #ARGV do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0 then found[#found + 1] = tonumber(ARGV[i]) end
end
return found`,
};

/**
 * Binds a job anew, to another pool: every vote of the old one and the plan that they belong to go in the same step.
 * KEYS: job, then the keys to delete. ARGV: the binding that is to end, engine, samples drawn for inputs that are decided.
 * Answers 1 if it was bound anew.
 */
export const REBIND: Script = {
  name: 'rebindJob',
  lua: `${JOB_EVENTS}
local job = redis.call('HMGET', KEYS[1], 'status', 'binding')
if job[1] ~= 'running' or (job[2] or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'engine', ARGV[2], 'drawn', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'binding', 1)
redis.call('HDEL', KEYS[1], 'poolGoneSince')
redis.call('UNLINK', unpack(KEYS, 2))
happened('type', 'bound', 'binding', redis.call('HGET', KEYS[1], 'binding'), 'engine', ARGV[2])
return 1`,
};

/**
 * Notes that a job's pool is gone. The time is the server's, so that no clocks are compared.
 * KEYS: job. Answers for how many seconds it has been gone; nil where the job does not run.
 */
export const POOL_GONE: Script = {
  name: 'notePoolGone',
  lua: `
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return nil end
local now = redis.call('TIME')[1]
redis.call('HSETNX', KEYS[1], 'poolGoneSince', now)
return tonumber(now) - tonumber(redis.call('HGET', KEYS[1], 'poolGoneSince'))`,
};

/** What is written for a chunk counts only in a running job, and for the binding that it was drawn for. */
const OF_THE_BINDING = `
local job = redis.call('HMGET', KEYS[1], 'status', 'binding')
if job[1] ~= 'running' then return job[1] end
if (job[2] or '0') ~= ARGV[1] then return 'rebound' end`;

/**
 * Records how far a chunk has got, and its votes when it is complete. A chunk counts once: what comes after its votes is
 * ignored. One that starts again after a crash shows no progress until it is past where it had been, so that progress
 * never goes back.
 * KEYS: job, drawn, votes, ended. ARGV: binding, chunk's number, chunk, samples of the chunk counted, votes or ''.
 * Answers the job's status, 'rebound' if the chunk is of an earlier binding, or nil without a job.
 */
export const RECORD_CHUNK: Script = {
  name: 'recordChunk',
  lua: `${OF_THE_BINDING}
if redis.call('GETBIT', KEYS[4], ARGV[2]) == 1 then return job[1] end
local before = tonumber(redis.call('HGET', KEYS[2], ARGV[3]) or '0')
if ARGV[5] == '' then
  if tonumber(ARGV[4]) <= before then return job[1] end
  redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
else
  redis.call('HDEL', KEYS[2], ARGV[3])
  redis.call('HSET', KEYS[3], ARGV[3], ARGV[5])
  redis.call('SETBIT', KEYS[4], ARGV[2], 1)
end
redis.call('HINCRBY', KEYS[1], 'drawn', tonumber(ARGV[4]) - before)
return job[1]`,
};

/**
 * Marks a chunk that will have no votes as ended.
 * KEYS: job, ended. ARGV: binding, chunk's number.
 */
export const GIVE_UP_CHUNK: Script = {
  name: 'giveUpChunk',
  lua: `${OF_THE_BINDING}
redis.call('SETBIT', KEYS[2], ARGV[2], 1)
return job[1]`,
};

/**
 * Writes a round of the plan unless there is one.
 * KEYS: job, plan. ARGV: binding, field of the round, round, its number.
 */
export const STORE_ROUND: Script = {
  name: 'storeRound',
  lua: `${JOB_EVENTS}${OF_THE_BINDING}
if redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[3]) == 1 then
  happened('type', 'round', 'binding', ARGV[1], 'round', ARGV[4])
end
return job[1]`,
};

/**
 * Notes that all chunks before a number have been queued once.
 * KEYS: job, plan. ARGV: binding, field, number.
 * Answers the job's status, 'rebound' or nil as above.
 */
export const MARK_QUEUED: Script = {
  name: 'markQueued',
  lua: `${OF_THE_BINDING}
if tonumber(ARGV[3]) > tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or '0') then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
end
return job[1]`,
};

/**
 * Removes a job that nobody was told of.
 * KEYS: job, list, active, then the other keys to delete. ARGV: id, owner and id, retention in seconds.
 */
export const FORGET: Script = {
  name: 'forgetJob',
  lua: `${JOB_EVENTS}
local there = redis.call('EXISTS', KEYS[1]) == 1
redis.call('UNLINK', KEYS[1], unpack(KEYS, 4))
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('SREM', KEYS[3], ARGV[2])
if there then append(ARGV[3], 'type', 'withdrawn') end
return 1`,
};
