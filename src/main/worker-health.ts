// The health check of a worker's container: in the last 15 s the worker of this container has announced itself in Redis, with
// a device in service that has loaded a model. It ends with status 1 and the reason otherwise.
import { hostname } from 'node:os';
import { readConfig } from '../config/env.ts';
import { isInService } from '../contract/status.ts';
import { createKeys } from '../jobs/keys.ts';
import { createPresence } from '../jobs/presence.ts';
import { createLogger } from '../logger.ts';
import { connectApi, waitUntilReady } from '../redis/connections.ts';

const REDIS_MILLISECONDS = 5_000;

const { redisUrl, prefix } = readConfig();
if (redisUrl === null) throw new Error('REDIS_URL is not set');
const redis = connectApi(redisUrl, createLogger('silent', 'health'));
try {
  await waitUntilReady(redis, REDIS_MILLISECONDS);
  const workers = await createPresence(redis, createKeys(prefix)).livingWorkers();
  const devices = workers
    .filter((worker) => worker.hostname === hostname())
    .flatMap((worker) => worker.devices);
  const working = devices.filter(({ hosts }) =>
    hosts.some(({ state, models }) => isInService(state) && models.length > 0),
  );
  console.log(`${working.length} of ${devices.length} devices at work`);
  if (working.length === 0) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  redis.disconnect();
}
