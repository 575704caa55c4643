import { parentPort, workerData } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import type { ComputeTarget } from '../engines/compute-target.ts';
import { createLane } from './lane.ts';
import type { LaneFunctions } from './protocol.ts';

// Entry point of a lane: a thread of a device host that owns its noise kernels, batches and engine sessions.
const port = parentPort!;
createBirpc<Record<never, never>, LaneFunctions>(createLane(workerData as ComputeTarget), {
  post: (message) => port.postMessage(message),
  on: (listener) => port.on('message', listener),
  timeout: -1,
});
