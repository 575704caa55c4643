import { createBirpc } from 'birpc';
import { createLanePool } from './lane-pool.ts';
import { type HostFunctions, type HostSettings, PROTOCOL, type WorkerFunctions } from './protocol.ts';
import { BEAT_MILLISECONDS } from './watch-host.ts';

/**
 * Serves a host's functions to the worker over this process's channel, until the process ends.
 *
 * @param settings `HostSettings` as JSON
 * @throws Error where a worker of another build has started this process
 */
export function serveLanes(settings: string): void {
  const send = process.send?.bind(process);
  if (send === undefined) throw new Error('a device host is started by a worker, with a channel to it');
  const pool = createLanePool(
    readSettings(settings),
    (workId, samples) => void worker.progress.asEvent(workId, samples),
  );
  const worker = createBirpc<WorkerFunctions, HostFunctions>(pool, {
    // A message that cannot be sent any more is for a worker that is gone.
    post: (message) => process.connected && send(message, () => undefined),
    on: (listener) => process.on('message', listener),
    timeout: -1,
  });
  void worker.alive.asEvent();
  setInterval(() => void worker.alive.asEvent(), BEAT_MILLISECONDS);
}

function readSettings(text: string): HostSettings {
  const settings = JSON.parse(text) as Partial<HostSettings> | null;
  const { protocol, lanes = 0, target } = settings ?? {};
  if (protocol !== PROTOCOL || target === undefined || !Number.isInteger(lanes) || lanes < 1)
    throw new Error('the worker that started this device host is of another build: restart the worker');
  return { protocol, lanes, target };
}
