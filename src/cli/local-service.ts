import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from '../lifecycle.ts';
import { createLogger } from '../logger.ts';
import { readSettings, type SettingOptions } from './settings.ts';
import type { Service, Starters } from './starters.ts';

/**
 * Starts everything in this process for one command: a free port of the loopback interface, a Redis server and a data
 * directory of its own, which are gone when it closes. Of the log only warnings are shown.
 *
 * @param options where models are, which of them to load, and how many lanes; the port, if it matters
 */
export function startLocalService(
  starters: Starters,
  options: Pick<SettingOptions, 'model' | 'models' | 'lanes' | 'port'>,
): Promise<Service> {
  return Stack.build(async (stack) => {
    const asked = readSettings(options, LIMITS);
    const data = await mkdtemp(join(tmpdir(), 'smoothcert-'));
    // A process that is ended in the middle closes nothing.
    const remove = (): void => rmSync(data, { recursive: true, force: true });
    process.once('exit', remove);
    stack.defer(async () => {
      remove();
      process.off('exit', remove);
    });
    const port = options.port ?? '0';
    const config = readSettings({ ...options, host: '127.0.0.1', port, data }, LIMITS);
    const level = asked.logLevel === 'info' ? 'warn' : asked.logLevel;
    const service = await starters.startStandalone(config, createLogger(level, 'smoothcert'));
    stack.defer(() => service.close());
    return { url: service.url, close: () => stack.close() };
  });
}

/** Nobody else sends requests here, so the limits are the largest; a queue that others use is left alone. */
const LIMITS = {
  REDIS_URL: '',
  REDIS_URL_FILE: '',
  SMOOTHCERT_MAX_INPUTS: '10000',
  SMOOTHCERT_MAX_BODY_MIB: '1024',
};
