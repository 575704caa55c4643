import type { EngineDescription } from '../engines/engine.ts';
import type { WorkerStatus } from './presence.ts';

// A pool is all hosts, on whatever machine, whose sessions have one description: engine, version, provider, arithmetic.
// A job draws all its votes in one pool, the one that is fastest when it starts, so that its certificates are about one
// network computed in one way. Each pool has a queue of its own.

/** One line that two engines share only if they are the same. */
export function describeEngine({ name, version, provider, precision }: EngineDescription): string {
  return `${name} ${version} on ${provider} (${precision})`;
}

/** Name of the pool's sampling queue; BullMQ allows no ":" in it. */
export function samplingQueueName({ name, version, provider, precision }: EngineDescription): string {
  const parts = ['sampling', name, version, provider, precision];
  return parts.map((part) => part.replace(/[^A-Za-z0-9.]+/g, '-').replace(/^-/, '')).join('-');
}

/** Speeds, in samples a second, of the pool's hosts that have the model. */
export function poolSpeeds(
  workers: readonly WorkerStatus[],
  modelDigest: string,
  engine: EngineDescription,
): number[] {
  const name = describeEngine(engine);
  return modelsOf(workers, modelDigest)
    .filter((model) => describeEngine(model.engine) === name)
    .map((model) => model.samplesPerSecond);
}

/**
 * The pool that draws most samples of the model a second, or null where no living worker has loaded it. Hosts that are
 * out of service count only where nothing else has the model: they come back, and a job rather waits than fails.
 */
export function choosePool(workers: readonly WorkerStatus[], modelDigest: string): EngineDescription | null {
  for (const inService of [true, false]) {
    const pools = new Map<string, { engine: EngineDescription; speed: number }>();
    for (const model of modelsOf(workers, modelDigest)) {
      if (inService && model.out) continue;
      const key = describeEngine(model.engine);
      const speed = (pools.get(key)?.speed ?? 0) + model.samplesPerSecond;
      pools.set(key, { engine: model.engine, speed });
    }
    // By name where speeds tie, so that every coordinator chooses alike.
    const [best] = [...pools].sort(([a, x], [b, y]) => y.speed - x.speed || (a < b ? -1 : 1));
    if (best !== undefined) return best[1].engine;
  }
  return null;
}

function modelsOf(workers: readonly WorkerStatus[], modelDigest: string) {
  return workers.flatMap((worker) =>
    worker.devices.flatMap((device) =>
      device.hosts.flatMap(({ state, models }) =>
        models
          .filter(({ digest }) => digest === modelDigest)
          .map((model) => ({ ...model, out: state === 'out' })),
      ),
    ),
  );
}
