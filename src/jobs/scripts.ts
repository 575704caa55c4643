// Redis runs a script as one step: what must be decided and written together is decided there. Every script leaves a job
// that is gone (expired, deleted) gone, so that a late writer cannot bring back half of it.

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
return redis.call('HGET', KEYS[1], 'engine')`;

/**
 * Ends a job: its status, when its record and results expire, and the deletion of everything else, in one step, so that
 * no ended job can keep its inputs for ever. A job that is being cancelled ends `cancelled`, whatever is asked for.
 * KEYS: job, results, active, then the keys to delete. ARGV: new status, job id, seconds to keep the record, seconds to
 * keep the results, time, when the results expire, failure or ''.
 * Answers the status that the job has afterwards, or nil without a job.
 */
export const END = `
local status = redis.call('HGET', KEYS[1], 'status')
if not status then
  redis.call('SREM', KEYS[3], ARGV[2])
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
redis.call('DEL', unpack(KEYS, 4))
redis.call('SREM', KEYS[3], ARGV[2])
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
 * Records how far a chunk has got, and its votes when it is complete. Repeating it replaces, never adds. A chunk that
 * starts again after a crash shows no progress until it is past where it had been, so that progress never goes back.
 * KEYS: job, drawn, votes. ARGV: chunk, samples of the chunk counted, votes or ''.
 * Answers the job's status, or nil without a job.
 */
export const RECORD_CHUNK = `
local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'running' then return status end
if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 and ARGV[3] == '' then return status end
local before = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
if ARGV[3] == '' and tonumber(ARGV[2]) <= before then return status end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[1], 'drawn', tonumber(ARGV[2]) - before)
if ARGV[3] ~= '' then redis.call('HSET', KEYS[3], ARGV[1], ARGV[3]) end
return status`;

/**
 * Writes a round's plan unless the round has one.
 * KEYS: job, plan. ARGV: the field that marks the round, its value, then fields and values.
 */
export const STORE_PLAN = `
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return 0 end
if redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) == 0 then return 0 end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
return 1`;
