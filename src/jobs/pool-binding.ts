import { samplesPerInput } from '../contract/kinds.ts';
import type { EngineDescription } from '../engines/engine.ts';
import type { Failure } from '../errors.ts';
import { logLine } from '../log-events.ts';
import type { Logger } from '../logger.ts';
import { describeEngine } from '../smoothing/describe-engine.ts';
import type { ChunkFeed } from './chunk-feed.ts';
import type { JobRecord } from './job-record.ts';
import type { JobStore } from './job-store.ts';
import { choosePool, choosePoolInService, drawsBy, waitsFor } from './pool.ts';
import type { Presence } from './presence.ts';

/** Whether a job can be sampled now. */
export type Binding =
  /** By this pool. */
  | { readonly kind: 'bound'; readonly engine: EngineDescription }
  /** Its pool is gone, or no worker has its model yet; not for long. */
  | { readonly kind: 'waiting'; readonly engine: EngineDescription | null }
  /** It has ended, or is being cancelled. */
  | { readonly kind: 'over' }
  /** It was bound to another pool just now: what was read of it before is not true any more. */
  | { readonly kind: 'rebound' }
  /** No pool in service has had the model for too long. */
  | { readonly kind: 'failed'; readonly error: Failure };

export interface PoolBindingDependencies {
  readonly jobs: JobStore;
  readonly presence: Pick<Presence, 'livingWorkers'>;
  readonly feed: Pick<ChunkFeed, 'withdraw'>;
  /** How long a job waits for a pool that is gone. */
  readonly poolGoneSeconds: number;
  readonly logger: Logger;
}

/**
 * Binds a job to the pool that is fastest when it starts; it waits for one that has its model for `poolGoneSeconds`, since
 * workers are restarted, and then fails. Binds it anew when that pool has been gone, or out of service, for
 * longer than `poolGoneSeconds`: an engine was upgraded, or its only device has died.
 *
 * A new binding drops every vote of the old one, so that all votes of a certificate are of one pool, and draws the
 * undecided inputs with the same seed. Is a certificate still true that is the second attempt at the same noise? Yes: an
 * input is decided when all the votes that it asked for are there and not before, and that a pool vanished does not depend
 * on votes. Nothing that was seen has decided whether to draw again; given that it is drawn again, its noise is as
 * distributed as ever, and the bound holds for the one attempt that counts. Votes that the new pool gives otherwise, by
 * rounding, are its own network's, which the certificate names. Inputs that are decided keep their certificates, of the old
 * pool, and are never drawn again. (A procedure that looks at votes before it has all of them would be another matter: what
 * it has spent of alpha at those looks would have to be kept.)
 */
export function createPoolBinding(dependencies: PoolBindingDependencies) {
  const { jobs, presence, feed, poolGoneSeconds, logger } = dependencies;

  return async function bindPool(record: JobRecord): Promise<Binding> {
    const { id, engine, request } = record;
    const workers = await presence.livingWorkers();
    const chosen = engine === null ? choosePool(workers, request) : null;
    if (chosen !== null) {
      const bound = await jobs.bind(record, chosen);
      if (bound === null) return { kind: 'over' };
      logger.info(...logLine('job_bound', { job: id, engine: bound }));
      return { kind: 'bound', engine: bound };
    }
    const missing = waitsFor(workers, record);
    if (missing === null && engine !== null) {
      await jobs.poolIsBack(record);
      return { kind: 'bound', engine };
    }
    const seconds = await jobs.poolGone(record);
    if (seconds === null) return { kind: 'over' };
    if (seconds < poolGoneSeconds) return { kind: 'waiting', engine };
    const next = choosePoolInService(workers, request);
    if (next === null || engine === null) {
      const undrawn = workers.length > 0 && !workers.some((worker) => drawsBy(worker, request.noise));
      const code = undrawn ? 'noise_unavailable' : 'model_unavailable';
      const detail = `waited ${seconds} s for ${missing ?? request.model.name}; no pool in service can draw for it`;
      return { kind: 'failed', error: { code, detail } };
    }
    await feed.withdraw({ ...record, engine });
    if (await jobs.rebind(record, next, record.counts.decided * samplesPerInput(request))) {
      const from = describeEngine(engine);
      logger.warn(...logLine('job_rebound', { job: id, from, to: describeEngine(next), seconds }));
    }
    return { kind: 'rebound' };
  };
}
