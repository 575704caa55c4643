/**
 * Every line that the product logs: its name, for programs, which stays what it is, and its sentence, for people, which may
 * change. What a line tells besides stands in fields of its own.
 */
export const LOG_EVENTS = {
  api_listening: 'API listening',
  api_request_failed: 'a request failed',
  background_task_failed: 'what is tried again later failed',
  chunk_abandoned: 'chunk abandoned: its job was cancelled',
  chunk_drawn: 'chunk drawn',
  chunk_not_drawn: 'chunk not drawn',
  chunks_looked_after: 'chunks looked after',
  closing: 'closing',
  device_failed: 'device failed',
  device_host_crashed: 'device host crashed',
  device_host_ended: 'device host ended',
  device_host_hung: 'device host hung; killing it',
  device_host_output: 'device host output',
  device_host_started: 'device host started',
  device_host_state_changed: 'device host changed state',
  embedded_redis_back: 'the embedded Redis server is back',
  embedded_redis_failing: 'the embedded Redis server stops again and again',
  embedded_redis_fetching: 'fetching a Redis server',
  embedded_redis_leftover: 'waiting for the end of the server that a killed owner left',
  embedded_redis_output: 'embedded Redis',
  embedded_redis_owner_killed: 'taking over from an owner that was killed',
  embedded_redis_ready: 'embedded Redis is ready',
  embedded_redis_stopped: 'the embedded Redis server stopped; restarting it',
  embedded_redis_unstoppable: 'the embedded Redis server does not stop; killing it',
  embedded_redis_unwritable: 'the embedded Redis server is started again when its folder can be written to',
  embedded_redis_writable: 'the data directory can be written to again',
  job_bound: 'job bound to a pool',
  job_ended: 'job ended',
  job_failed: 'job failed',
  job_rebound: 'job bound anew: its pool is gone',
  job_taken_over: 'a job was taken over',
  left_to_newer_release: 'work left to a newer release, which this one does not read',
  model_not_loadable: 'model not loadable',
  model_refused: 'model refused',
  model_warmed_up: 'model warmed up',
  no_device_in_service: 'no device is in service yet; trying again',
  progress_not_written: 'progress not written',
  queue_error: 'queue error',
  redis_connection_failed: 'Redis connection',
  redis_refuses: 'Redis refuses what this worker must write; trying again',
  redis_server_unfit: 'Redis server',
  round_planned: 'round planned',
  uncaught_error: 'uncaught error; closing',
  worker_not_understood: 'a worker that this release does not understand',
  worker_ready: 'worker ready',
} as const;

export type LogEvent = keyof typeof LOG_EVENTS;

/** What a logger is given for an event: `logger.info(...logLine('worker_ready', { worker: id }))`. */
export function logLine<Facts extends object>(
  event: LogEvent,
  facts: Facts,
): [line: Facts & { readonly event: LogEvent }, sentence: string] {
  return [{ event, ...facts }, LOG_EVENTS[event]];
}
