// Redis runs a script as one step: what must be decided and written together is decided there. Every script leaves a job
// that is gone (expired, deleted) gone, so that a late writer cannot bring back half of it.

/**
 * Creates a job whose entries and bytes are all there: those that are given, and those stored before, which expire unless
 * they are claimed here. Nothing is written where some are missing.
 * KEYS: job, entries, inputs, list, active. ARGV: id, owner and id, time, inputs in all, different contents in all, how many of
 * the following belong to the record, then its fields and values; how many belong to the entries, then indices and entries;
 * then digests and bytes.
 * Answers 1 if it was created.
 */
export const CREATE = `
local at = 6
local function store(key, last)
  while at < last do
    redis.call('HSET', key, ARGV[at + 1], ARGV[at + 2])
    at = at + 2
  end
end
local recordEnd = 6 + tonumber(ARGV[6])
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
return 1`;

/**
 * Changes a job's status if it is one of those allowed.
 * KEYS: job. ARGV: allowed statuses separated by commas, new status, then fields and values to set with it.
 * Answers the status that the job has afterwards, or nil without a job.
 */
export const TRANSITION = `
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return nil end
if not string.find(',' .. ARGV[1] .. ',', ',' .. status .. ',', 1, true) then return status end
redis.call('HSET', KEYS[1], 'status', ARGV[2], unpack(ARGV, 3))
return ARGV[2]`;

/**
 * Binds a running job to the pool that draws its samples, unless it is bound.
 * KEYS: job. ARGV: engine.
 * Answers the engine that holds, or nil where the job does not run.
 */
export const BIND = `
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return nil end
redis.call('HSETNX', KEYS[1], 'engine', ARGV[1])
redis.call('HDEL', KEYS[1], 'poolGoneSince')
return redis.call('HGET', KEYS[1], 'engine')`;

/**
 * Ends a job: its status, when its record and results expire, and the deletion of everything else, in one step, so that
 * no ended job can keep its inputs for ever. A job that is being cancelled ends `cancelled`, whatever is asked for.
 * KEYS: job, results, entries, active, then the keys to delete. ARGV: new status, owner and id, seconds to keep the record,
 * seconds to keep results and entries, time, when they expire, failure or ''.
 * Answers the status that the job has afterwards, or nil without a job.
 */
export const END = `
local status = redis.call('HGET', KEYS[1], 'status')
if not status then
  redis.call('SREM', KEYS[4], ARGV[2])
  return nil
end
local to = ARGV[1]
if status == 'cancelling' then to = 'cancelled'
elseif to == 'failed' then
  if status ~= 'queued' and status ~= 'running' then return status end
elseif to == 'cancelled' or status ~= 'running' then return status end
redis.call('HSET', KEYS[1], 'status', to, 'finishedAt', ARGV[5], 'expiresAt', ARGV[6])
if to ~= 'cancelled' and ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[7]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('EXPIRE', KEYS[3], ARGV[4])
redis.call('UNLINK', unpack(KEYS, 5))
redis.call('SREM', KEYS[4], ARGV[2])
return to`;

/**
 * Sets fields of a hash that only a job under way needs.
 * KEYS: job, hash. ARGV: fields and values.
 */
export const SET_WHILE_UNDER_WAY = `
local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'running' and status ~= 'cancelling' then return 0 end
redis.call('HSET', KEYS[2], unpack(ARGV))
return 1`;

/**
 * Stores an input's result unless it has one, and counts it.
 * KEYS: job, results. ARGV: input index, result, then the counters to raise by one.
 * Answers 1 if it was stored.
 */
export const STORE_RESULT = `
local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'running' and status ~= 'cancelling' then return 0 end
if redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) == 0 then return 0 end
for i = 3, #ARGV do redis.call('HINCRBY', KEYS[1], ARGV[i], 1) end
return 1`;

/**
 * Answers which of these inputs have no result.
 * KEYS: results. ARGV: input indices.
 */
export const UNDECIDED = `
local found = {}
for i = 1, #ARGV do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0 then found[#found + 1] = tonumber(ARGV[i]) end
end
return found`;

/**
 * Binds a job anew, to another pool: every vote of the old one and the plan that they belong to go in the same step.
 * KEYS: job, then the keys to delete. ARGV: the binding that is to end, engine, samples drawn for inputs that are decided.
 * Answers 1 if it was bound anew.
 */
export const REBIND = `
local job = redis.call('HMGET', KEYS[1], 'status', 'binding')
if job[1] ~= 'running' or (job[2] or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'engine', ARGV[2], 'drawn', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'binding', 1)
redis.call('HDEL', KEYS[1], 'poolGoneSince')
redis.call('UNLINK', unpack(KEYS, 2))
return 1`;

/**
 * Notes that a job's pool is gone. The time is the server's, so that no clocks are compared.
 * KEYS: job. Answers for how many seconds it has been gone; nil where the job does not run.
 */
export const POOL_GONE = `
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return nil end
local now = redis.call('TIME')[1]
redis.call('HSETNX', KEYS[1], 'poolGoneSince', now)
return tonumber(now) - tonumber(redis.call('HGET', KEYS[1], 'poolGoneSince'))`;

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
export const RECORD_CHUNK = `${OF_THE_BINDING}
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
return job[1]`;

/**
 * Marks a chunk that will have no votes as ended.
 * KEYS: job, ended. ARGV: binding, chunk's number.
 */
export const GIVE_UP_CHUNK = `${OF_THE_BINDING}
redis.call('SETBIT', KEYS[2], ARGV[2], 1)
return job[1]`;

/**
 * Writes a round of the plan unless there is one.
 * KEYS: job, plan. ARGV: binding, field of the round, round.
 */
export const STORE_ROUND = `${OF_THE_BINDING}
redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[3])
return job[1]`;

/**
 * Notes that all chunks before a number have been queued once.
 * KEYS: job, plan. ARGV: binding, field, number.
 * Answers the job's status, 'rebound' or nil as above.
 */
export const MARK_QUEUED = `${OF_THE_BINDING}
if tonumber(ARGV[3]) > tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or '0') then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
end
return job[1]`;
