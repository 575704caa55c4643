import { createBirpc } from 'birpc';
import { createLanePool } from './lane-pool.ts';
import type { HostFunctions, HostSettings, WorkerFunctions } from './protocol.ts';

// Entry point of a device host: a child process pinned to one device, started by a worker with its settings as
// its argument. It lives exactly as long as the channel to its worker: a worker that is killed leaves no host behind.
const send = process.send?.bind(process);
if (send === undefined) throw new Error('a device host is started by a worker, with a channel to it');

process.on('disconnect', () => process.exit(0));
// A terminal sends Ctrl-C to the whole process group; the worker decides when its host ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

const settings = JSON.parse(process.argv[2]!) as HostSettings;
const pool = createLanePool(settings, (workId, samples) => void worker.progress.asEvent(workId, samples));
const worker = createBirpc<WorkerFunctions, HostFunctions>(pool, {
  post: (message) => send(message),
  on: (listener) => process.on('message', listener),
  timeout: -1,
});
