import type { EngineDescription } from '../engines/engine.ts';
import type { HostSpeed } from './chunk-size.ts';
import type { JobRecord } from './job-record.ts';
import type { WorkerStatus } from './presence.ts';

// A pool is all hosts, on whatever machine, whose sessions have one description: engine, version, provider, arithmetic, and
// the rows of a call where a row's scores depend on them.
// A job draws all its votes in one pool, the one that is fastest when it starts, so that its certificates are about one
// network computed in one way. Each pool has a queue of its own.

/** One line that two engines share only if they are the same. */
export function describeEngine(engine: EngineDescription): string {
  const { name, version, provider, precision, output, batch } = engine;
  const how = [
    precision,
    ...(output === undefined ? [] : [output]),
    ...(batch === undefined ? [] : [`${batch} rows a call`]),
  ];
  return `${name} ${version} on ${provider} (${how.join(', ')})`;
}

/** Name of the pool's sampling queue; BullMQ allows no ":" in it. */
export function samplingQueueName(engine: EngineDescription): string {
  const { name, version, provider, precision, output = '', batch } = engine;
  const parts = [
    'sampling',
    name,
    version,
    provider,
    precision,
    output,
    ...(batch === undefined ? [] : [`batch${batch}`]),
  ];
  const clean = parts.map((part) => part.replace(/[^A-Za-z0-9.]+/g, '-').replace(/^-/, ''));
  return clean.filter((part) => part !== '').join('-');
}

/** The pool's hosts that have the model and are in service. */
export function poolHosts(
  workers: readonly WorkerStatus[],
  modelDigest: string,
  engine: EngineDescription,
): HostSpeed[] {
  return hostsOf(workers, modelDigest).filter((host) => !host.out && sameEngine(host.engine, engine));
}

/**
 * The pool that draws most samples of the model a second, or null where no living worker has loaded it. Hosts that are
 * out of service count only where nothing else has the model: they come back, and a job rather waits than fails.
 */
export function choosePool(workers: readonly WorkerStatus[], modelDigest: string): EngineDescription | null {
  return fastestPool(workers, modelDigest, true) ?? fastestPool(workers, modelDigest, false);
}

/** The same among hosts in service alone. */
export function choosePoolInService(
  workers: readonly WorkerStatus[],
  modelDigest: string,
): EngineDescription | null {
  return fastestPool(workers, modelDigest, true);
}

/**
 * What a job that has not ended waits for before it can go on, as words that follow "waiting for"; null where somebody can
 * draw for it. Nothing else than a worker, or a device that is in service again, makes it go on.
 */
export function waitsFor(
  workers: readonly WorkerStatus[],
  { engine, request: { model } }: Pick<JobRecord, 'engine' | 'request'>,
): string | null {
  const hosts = hostsOf(workers, model.digest).filter(
    (host) => engine === null || sameEngine(host.engine, engine),
  );
  if (hosts.some(({ out }) => !out)) return null;
  if (workers.length === 0) return 'a worker: none is there';
  const what = engine === null ? model.name : `${model.name} in ${describeEngine(engine)}`;
  const [host] = hosts;
  if (host === undefined) return `${what}, which no worker has`;
  return `${what}, whose devices are out of service${host.reason === null ? '' : ` (${host.reason})`}`;
}

function fastestPool(
  workers: readonly WorkerStatus[],
  modelDigest: string,
  inService: boolean,
): EngineDescription | null {
  const pools = new Map<string, { engine: EngineDescription; speed: number }>();
  for (const { engine, out, samplesPerSecond } of hostsOf(workers, modelDigest)) {
    if (inService && out) continue;
    const key = describeEngine(engine);
    pools.set(key, { engine, speed: (pools.get(key)?.speed ?? 0) + samplesPerSecond });
  }
  // By name where speeds tie, so that every coordinator chooses alike.
  const [best] = [...pools].sort(([a, x], [b, y]) => y.speed - x.speed || (a < b ? -1 : 1));
  return best?.[1].engine ?? null;
}

/** Whether two descriptions name one pool. */
export function sameEngine(a: EngineDescription, b: EngineDescription): boolean {
  return describeEngine(a) === describeEngine(b);
}

interface HostOfModel extends HostSpeed {
  readonly engine: EngineDescription;
  readonly out: boolean;
  readonly reason: string | null;
}

/** The hosts that have the model, in service or not. */
function hostsOf(workers: readonly WorkerStatus[], modelDigest: string): HostOfModel[] {
  return workers.flatMap(({ devices }) =>
    devices.flatMap(({ lanes, hosts }) =>
      hosts.flatMap(({ state, reason, models }) =>
        models
          .filter(({ digest }) => digest === modelDigest)
          .map(({ engine, samplesPerSecond, batchSize }) => ({
            engine,
            samplesPerSecond,
            rows: lanes * batchSize,
            out: state === 'out',
            reason,
          })),
      ),
    ),
  );
}
