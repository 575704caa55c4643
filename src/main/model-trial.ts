import type { Config } from '../config/config.ts';
import { createDeviceHost } from '../host/device-host.ts';
import { createModelTrial, type ModelTrial } from '../host/model-trial.ts';
import type { Logger } from '../logger.ts';
import type { EngineName } from '../models/manifest.ts';
import { findPinnedDevices } from './pinned-devices.ts';

/** Prepares a trial of models of one engine on the first device that the configuration names. */
export async function startTrial(config: Config, engine: EngineName, logger: Logger): Promise<ModelTrial> {
  const { devices, pin } = await findPinnedDevices(config);
  const device = devices[0]!;
  const { target, environment } = pin(device, engine);
  return createModelTrial(createDeviceHost(device, target, environment, logger));
}
