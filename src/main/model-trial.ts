import type { Config } from '../config/config.ts';
import { ownEnvironment } from '../config/env.ts';
import { discoverDevices } from '../devices/discover.ts';
import { pinnedEnvironment } from '../devices/pinned-environment.ts';
import { deviceTarget } from '../devices/target.ts';
import { createDeviceHost } from '../host/device-host.ts';
import { createModelTrial, type ModelTrial } from '../host/model-trial.ts';
import type { Logger } from '../logger.ts';
import type { EngineName } from '../models/manifest.ts';

/** Prepares a trial of models of one engine on the first device that the configuration names. */
export async function startTrial(config: Config, engine: EngineName, logger: Logger): Promise<ModelTrial> {
  const [device] = await discoverDevices(config.devices, config.lanes, {
    ...config,
    environment: ownEnvironment(),
  });
  const target = deviceTarget(device!, config.target);
  const environment = pinnedEnvironment(device!, target, engine, ownEnvironment());
  return createModelTrial(createDeviceHost(device!, target, environment, logger));
}
