import type { Config } from '../config/config.ts';
import { ownEnvironment } from '../config/env.ts';
import { nameVariables } from '../config/name-variables.ts';
import type { Device, DeviceTools } from '../devices/device.ts';
import { discoverDevices } from '../devices/discover.ts';
import { pinnedEnvironment } from '../devices/pinned-environment.ts';
import { deviceTarget } from '../devices/target.ts';
import type { Pinning } from '../jobs/worker-hosts.ts';
import { type Launch, launchAsItIs } from '../launch.ts';
import type { EngineName } from '../models/manifest.ts';

/** The devices that a configuration asks for, and how the process of an engine is pinned to one. */
export interface PinnedDevices {
  readonly devices: readonly Device[];
  readonly tools: DeviceTools;
  pin(device: Device, engine: EngineName): Pinning;
}

/**
 * Finds them, and what sessions on each must compute on.
 *
 * @throws DomainError `device_unavailable` with every fault, by the name of its variable
 */
export async function findPinnedDevices(
  config: Config,
  launch: Launch = launchAsItIs,
): Promise<PinnedDevices> {
  const tools = { ...config, environment: ownEnvironment(), launch };
  try {
    const devices = await discoverDevices(config.devices, config.lanes, tools);
    const targets = new Map(devices.map((device) => [device.id, deviceTarget(device, config.target)]));
    return {
      devices,
      tools,
      pin(device, engine) {
        const target = targets.get(device.id)!;
        return { target, environment: pinnedEnvironment(device, target, engine, tools.environment) };
      },
    };
  } catch (error) {
    throw nameVariables(error);
  }
}
