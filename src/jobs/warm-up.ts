import { DomainError, type Failure, failureOf } from '../errors.ts';
import type { SupervisedHost } from '../host/supervised-host.ts';
import { logLine } from '../log-events.ts';
import type { Logger } from '../logger.ts';
import type { ModelStore } from '../models/store.ts';

/**
 * Loads every model on every device: devices at the same time, the hosts of one device one after another, so that no
 * measurement disturbs another.
 *
 * @throws DomainError where no model can be loaded anywhere, and no other try could change that
 */
export async function warmUp(
  hosts: readonly SupervisedHost[],
  models: ModelStore,
  logger: Logger,
): Promise<void> {
  for (const { folder, error } of models.rejected) {
    const facts = { folder, faults: error.faults, ...failureOf(error, 'model_invalid') };
    logger.error(...logLine('model_refused', facts));
  }
  const devices = [...new Set(hosts.map(({ device }) => device.id))];
  const failures: Failure[] = [];
  await Promise.all(
    devices.map(async (id) => {
      for (const host of hosts.filter(({ device }) => device.id === id)) {
        const failure = await host.start();
        if (failure === null) continue;
        const { engine } = host.status();
        failures.push({ ...failure, detail: `${engine} on ${host.device.name}: ${failure.detail}` });
      }
    }),
  );
  if (failures.length < hosts.length) return;
  const why = failures.map(({ detail }) => detail).join('; ');
  // What is wrong with a device or its process can pass: it is tried again until it does.
  if (failures.some(({ code }) => code === 'device_failed')) {
    logger.error(...logLine('no_device_in_service', { reason: why }));
    return;
  }
  const codes = new Set(failures.map(({ code }) => code));
  const [code = 'model_invalid'] = codes.size === 1 ? codes : [];
  throw new DomainError(
    code,
    `no model can be loaded on any device of this worker${why === '' ? '' : `: ${why}`}`,
  );
}
