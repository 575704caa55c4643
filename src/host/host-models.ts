import type { Failure } from '../errors.ts';
import { logLine } from '../log-events.ts';
import type { Logger } from '../logger.ts';
import type { EngineName } from '../models/manifest.ts';
import type { RegisteredModel } from '../models/store.ts';
import type { DeviceHost } from './device-host.ts';
import { HostCrashedError } from './incarnation.ts';
import type { WarmModel } from './protocol.ts';

export type LoadedModel = { readonly name: string; readonly digest: string } & WarmModel;

/** A model that the host has tried to load and could not, and why. */
export type RefusedModel = { readonly name: string; readonly digest: string } & Failure;

/** The models of one engine on one device, as they were loaded or refused last. */
export interface HostModels {
  loaded(): readonly LoadedModel[];
  refused(): readonly RefusedModel[];
  /** Loads every model; answers why none could be loaded, null if one was. */
  loadAll(): Promise<Failure | null>;
  /** Tries nothing again, and says nothing more. */
  stop(): void;
}

/** Tries of a load that the process or the device breaks off: a host that is killed while it loads is nobody's last word. */
const LOAD_ATTEMPTS = 3;

/** Whether the library that runs the models is not installed; the worker serves what other libraries run. */
export function isMissing({ code }: Failure): boolean {
  return code === 'engine_missing';
}

export function createHostModels(
  host: DeviceHost,
  engine: EngineName,
  models: readonly RegisteredModel[],
  logger: Logger,
): HostModels {
  const { device } = host;
  const loaded = new Map<string, LoadedModel>();
  const refused = new Map<string, RefusedModel>();
  /** What was last said of each model that could not be loaded; a device that stays out says it once. */
  const said = new Map<string, string>();
  let stopped = false;

  function complain(model: string, failure: Failure): void {
    if (stopped) return;
    const level = said.get(model) === failure.detail ? 'debug' : isMissing(failure) ? 'info' : 'error';
    said.set(model, failure.detail);
    logger[level](...logLine('model_not_loadable', { model, device: device.id, engine, ...failure }));
  }

  /** Loads a model; answers why it could not be loaded, null if it was. */
  async function load(model: RegisteredModel): Promise<Failure | null> {
    const { name } = model.manifest;
    try {
      const outcome = await host.load(model);
      if (outcome.kind === 'failed') return { code: outcome.code, detail: outcome.detail };
      const { kind: _, ...warm } = outcome;
      loaded.set(model.digest, { name, digest: model.digest, ...warm });
      logger.info(...logLine('model_warmed_up', { model: name, device: device.id, ...warm }));
      return null;
    } catch (error) {
      if (!(error instanceof HostCrashedError)) throw error;
      return { code: 'device_failed', detail: `its process died while it loaded ${name}` };
    }
  }

  async function loadPatiently(model: RegisteredModel): Promise<Failure | null> {
    for (let attempt = 1; ; attempt += 1) {
      const refusal = await load(model);
      if (refusal?.code !== 'device_failed' || attempt === LOAD_ATTEMPTS || stopped) return refusal;
    }
  }

  return {
    loaded: () => [...loaded.values()],
    refused: () => [...refused.values()],
    async loadAll() {
      let failure: Failure = { code: 'model_unavailable', detail: 'there is no model for it' };
      let any = false;
      for (const model of models) {
        const { digest, manifest } = model;
        const refusal = await loadPatiently(model);
        if (refusal === null) {
          any = true;
          refused.delete(digest);
        } else {
          complain(manifest.name, (failure = refusal));
          if (!loaded.has(digest)) refused.set(digest, { name: manifest.name, digest, ...refusal });
        }
      }
      return any ? null : failure;
    },
    stop() {
      stopped = true;
    },
  };
}
