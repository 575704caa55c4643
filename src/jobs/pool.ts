import { isInService } from '../contract/status.ts';
import type { EngineDescription } from '../engines/engine.ts';
import { describeScheme, type NoiseScheme, sameScheme } from '../random/noise-law.ts';
import { describeEngine, sameEngine } from '../smoothing/describe-engine.ts';
import type { HostSpeed } from './chunk-size.ts';
import type { JobRequest } from './job-record.ts';
import type { WorkerStatus } from './stored/worker-status.ts';

// A pool is all hosts, on whatever machine, whose sessions have one description (engine, version, provider, arithmetic, and
// the rows of a call where a row's scores depend on them) and that draw noise by one scheme.
// A job draws all its votes in one pool, the one that is fastest when it starts, so that its certificates are about one
// network computed in one way. Each pool has a queue of its own.

/** Name of the pool's sampling queue; BullMQ allows no ":" in it. */
export function samplingQueueName(engine: EngineDescription, noise: NoiseScheme): string {
  const { name, version, provider, precision, output = '', batch } = engine;
  const parts = [
    'sampling',
    noise.scheme,
    String(noise.version),
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

/** What of a request says which hosts can draw for it. */
type Asked = Pick<JobRequest, 'model' | 'noise'>;

/** The pool's hosts that can draw for the request and are in service. */
export function poolHosts(
  workers: readonly WorkerStatus[],
  asked: Asked,
  engine: EngineDescription,
): HostSpeed[] {
  return drawersOf(workers, asked).filter((host) => !host.out && sameEngine(host.engine, engine));
}

/**
 * The pool that draws most samples of the model a second, or null where no living worker has loaded it and draws the noise.
 * Hosts that are out of service count only where nothing else has the model: they come back, and a job rather waits than
 * fails.
 */
export function choosePool(workers: readonly WorkerStatus[], asked: Asked): EngineDescription | null {
  return fastestPool(workers, asked, true) ?? fastestPool(workers, asked, false);
}

/** The same among hosts in service alone. */
export function choosePoolInService(
  workers: readonly WorkerStatus[],
  asked: Asked,
): EngineDescription | null {
  return fastestPool(workers, asked, true);
}

/** Samples a second that the pool which the request would get now draws for it; 0 where nobody would. */
export function poolSpeed(workers: readonly WorkerStatus[], asked: Asked): number {
  const pool = choosePool(workers, asked);
  const hosts = pool === null ? [] : poolHosts(workers, asked, pool);
  return hosts.reduce((sum, { samplesPerSecond }) => sum + samplesPerSecond, 0);
}

/**
 * What a job that has not ended waits for before it can go on, as words that follow "waiting for"; null where somebody can
 * draw for it. Nothing else than a worker, or a device that is in service again, makes it go on.
 */
export function waitsFor(
  workers: readonly WorkerStatus[],
  { engine, request }: { readonly engine: EngineDescription | null; readonly request: Asked },
): string | null {
  const { model, noise } = request;
  const hosts = drawersOf(workers, request).filter(
    (host) => engine === null || sameEngine(host.engine, engine),
  );
  if (hosts.some(({ out }) => !out)) return null;
  if (workers.length === 0) return 'a worker: none is there';
  const what = engine === null ? model.name : `${model.name} in ${describeEngine(engine)}`;
  const [host] = hosts;
  if (host === undefined) {
    const how = workers.every((worker) => drawsBy(worker, noise))
      ? ''
      : ` with noise by ${describeScheme(noise)}`;
    return `${what}${how}, which no worker has`;
  }
  return `${what}, whose devices are out of service${host.reason === null ? '' : ` (${host.reason})`}`;
}

/** Whether a worker draws noise by the scheme, with whatever models. */
export function drawsBy(worker: WorkerStatus, noise: NoiseScheme): boolean {
  return worker.noise.some((scheme) => sameScheme(scheme, noise));
}

function fastestPool(
  workers: readonly WorkerStatus[],
  asked: Asked,
  inService: boolean,
): EngineDescription | null {
  const pools = new Map<string, { engine: EngineDescription; speed: number }>();
  for (const { engine, out, samplesPerSecond } of drawersOf(workers, asked)) {
    if (inService && out) continue;
    const key = describeEngine(engine);
    pools.set(key, { engine, speed: (pools.get(key)?.speed ?? 0) + samplesPerSecond });
  }
  // By name where speeds tie, so that every coordinator chooses alike.
  const [best] = [...pools].sort(([a, x], [b, y]) => y.speed - x.speed || (a < b ? -1 : 1));
  return best?.[1].engine ?? null;
}

interface HostOfModel extends HostSpeed {
  readonly engine: EngineDescription;
  readonly out: boolean;
  readonly reason: string | null;
}

/** The hosts that have the model and draw the noise, in service or not. */
function drawersOf(workers: readonly WorkerStatus[], { model, noise }: Asked): HostOfModel[] {
  const able = workers.filter((worker) => drawsBy(worker, noise));
  return able.flatMap(({ devices }) =>
    devices.flatMap(({ lanes, hosts }) =>
      hosts.flatMap(({ state, reason, models }) =>
        models
          .filter(({ digest }) => digest === model.digest)
          .map(({ engine, samplesPerSecond, batchSize }) => ({
            engine,
            samplesPerSecond,
            rows: lanes * batchSize,
            out: !isInService(state),
            reason,
          })),
      ),
    ),
  );
}
