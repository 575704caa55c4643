// The worker's health check: in the last 15 s the worker of this container has announced itself in Redis, with a
// device in service that has loaded a model. It exits with 1 and the reason otherwise.
import { hostname } from 'node:os';
import { readConfig } from '../dist/config/env.js';
import { connectApi, waitUntilReady } from '../dist/redis/connections.js';
import { createKeys } from '../dist/jobs/keys.js';
import { createPresence } from '../dist/jobs/presence.js';
import { createLogger } from '../dist/logger.js';

const { redisUrl, prefix } = readConfig();
const redis = connectApi(redisUrl, createLogger('silent', 'health'));
try {
  await waitUntilReady(redis, 5_000);
  const workers = await createPresence(redis, createKeys(prefix)).livingWorkers();
  const devices = workers
    .filter((worker) => worker.hostname === hostname())
    .flatMap((worker) => worker.devices);
  const working = devices.filter(({ hosts }) =>
    hosts.some(({ state, models }) => state !== 'out' && models.length > 0),
  );
  console.log(`${working.length} of ${devices.length} devices at work`);
  if (working.length === 0) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  redis.disconnect();
}
