import type { Config } from '../config/config.ts';
import type { Running } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';

/** Something that runs and listens. */
export interface Service extends Running {
  readonly url: string;
}

/** The processes that commands start. `main` passes them in, so that nothing here imports a composition root. */
export interface Starters {
  startApi(config: Config, redisUrl: string, logger: Logger): Promise<Service>;
  startWorker(config: Config, redisUrl: string, logger: Logger): Promise<Running>;
  startStandalone(config: Config, logger: Logger): Promise<Service>;
}
