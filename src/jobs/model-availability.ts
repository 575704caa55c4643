import type { EngineDescription } from '../engines/engine.ts';
import { DomainError, type ErrorCode } from '../errors.ts';
import type { RegisteredModel } from '../models/store.ts';
import { describeEngine } from '../smoothing/describe-engine.ts';
import type { WorkerStatus } from './stored/worker-status.ts';

/** Where a model stands with the workers that live now. */
export interface ModelAvailability {
  /**
   * loaded: some host has it, in service or not. loading: none has, and some are not done with trying. refused: all that
   * have its files could not load them. absent: there are workers, and none has a model of its name and digest.
   */
  readonly state: 'loaded' | 'loading' | 'refused' | 'absent' | 'no_worker';
  /** Each engine that has loaded it, with its devices and what they draw together. */
  readonly engines: readonly {
    readonly engine: EngineDescription;
    readonly devices: number;
    readonly samplesPerSecond: number;
  }[];
  /** Each reason for which it could not be loaded, with the hosts that give it. */
  readonly refusals: readonly {
    readonly code: ErrorCode;
    readonly detail: string;
    readonly hosts: readonly string[];
  }[];
}

/** What the living workers say of a model. */
export function modelAvailability(
  workers: readonly WorkerStatus[],
  { digest, manifest }: Pick<RegisteredModel, 'digest' | 'manifest'>,
): ModelAvailability {
  const engines = new Map<string, ModelAvailability['engines'][number]>();
  const refusals = new Map<string, ModelAvailability['refusals'][number]>();
  let loading = false;
  for (const { hostname, devices } of workers) {
    for (const { name, hosts } of devices) {
      for (const host of hosts) {
        const model = host.models.find((each) => each.digest === digest);
        const refusal = host.refused.find((each) => each.digest === digest);
        if (model !== undefined) {
          const key = describeEngine(model.engine);
          const { devices: count = 0, samplesPerSecond = 0 } = engines.get(key) ?? {};
          engines.set(key, {
            engine: model.engine,
            devices: count + 1,
            samplesPerSecond: samplesPerSecond + model.samplesPerSecond,
          });
        } else if (refusal?.code === 'device_failed') {
          // Its process died as it loaded; it is tried again.
          loading = true;
        } else if (refusal !== undefined) {
          const { code, detail } = refusal;
          const key = `${code} ${detail}`;
          const places = [...(refusals.get(key)?.hosts ?? []), `${host.engine} on ${name} of ${hostname}`];
          refusals.set(key, { code, detail, hosts: places });
        } else if (host.engine === manifest.engine && host.models.length + host.refused.length === 0) {
          loading = true;
        }
      }
    }
  }
  const state = engines.size > 0 ? 'loaded' : loading ? 'loading' : refusals.size > 0 ? 'refused' : 'absent';
  return {
    state: workers.length === 0 ? 'no_worker' : state,
    engines: [...engines.values()],
    refusals: [...refusals.values()],
  };
}

/**
 * Refuses a submission to a model that no living worker has or will have; without any worker, or while one still loads, it
 * is accepted and waits.
 *
 * @param pointer of the model's name in the request
 * @throws DomainError `model_refused` with every reason, or `model_unavailable`
 */
export function requireAvailable(
  workers: readonly WorkerStatus[],
  model: RegisteredModel,
  pointer: string,
): void {
  const { state, refusals } = modelAvailability(workers, model);
  if (state !== 'refused' && state !== 'absent') return;
  const { name } = model.manifest;
  const faults = refusals.map(({ detail, hosts }) => ({
    pointer,
    detail: `${detail} (${hosts.join(', ')})`,
  }));
  if (state === 'refused') {
    const reasons = faults.map(({ detail }) => detail).join('; ');
    throw new DomainError('model_refused', `no worker can run ${name}: ${reasons}`, faults);
  }
  const count =
    workers.length === 1 ? 'the one worker does not have' : `none of ${workers.length} workers has`;
  const detail = `${count} ${name} with the digest ${model.digest}`;
  throw new DomainError('model_unavailable', detail, [{ pointer, detail }]);
}
