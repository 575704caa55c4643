import type { Config } from '../config/config.ts';
import type { Running } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { EngineName } from '../models/manifest.ts';
import type { RegisteredModel } from '../models/store.ts';

/** Something that runs and listens. */
export interface Service extends Running {
  readonly url: string;
}

/** What opening a model found; `host/model-trial.ts` says what the calls do. */
export interface TriedModel {
  readonly engine: {
    readonly name: string;
    readonly version: string;
    readonly provider: string;
    readonly rows?: 'proved' | 'probed' | 'alone';
    readonly batch?: number;
  };
  readonly batchSize: number;
  readonly samplesPerSecond: number;
}

/** A model that is tried before anybody relies on it. */
export interface Trial extends Running {
  load(model: RegisteredModel): Promise<TriedModel>;
  accuracy(
    model: RegisteredModel,
    images: readonly { readonly bytes: Uint8Array; readonly label: number }[],
    sigma: number,
    samples: number,
  ): Promise<number>;
}

/** The processes that commands start. `main` passes them in, so that nothing here imports a composition root. */
export interface Starters {
  startApi(config: Config, redisUrl: string, logger: Logger): Promise<Service>;
  startWorker(config: Config, redisUrl: string, logger: Logger): Promise<Running>;
  startStandalone(config: Config, logger: Logger): Promise<Service>;
  startTrial(config: Config, engine: EngineName, logger: Logger): Promise<Trial>;
}
