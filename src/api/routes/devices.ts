import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { JobService } from '../../jobs/job-service.ts';
import type { WorkerStatus } from '../../jobs/presence.ts';
import { type DeviceResource, DeviceSchema } from '../../contract/device.ts';
import { answer, problems } from '../responses.ts';

/** A worker's devices as the API shows them. A device is as well as the best of its hosts. */
export function presentDevices({ id, hostname, version, devices }: WorkerStatus): DeviceResource[] {
  return devices.map((device) => ({
    object: 'device',
    id: device.id,
    name: device.name,
    kind: device.kind,
    lanes: device.lanes,
    driver: device.driver,
    telemetry: presentTelemetry(device.telemetry),
    worker: { id, hostname, version },
    state:
      (['ready', 'recovering'] as const).find((state) => device.hosts.some((host) => host.state === state)) ??
      'out',
    hosts: device.hosts.map((host) => ({
      engine: host.engine,
      state: host.state,
      reason: host.reason,
      since: new Date(host.since).toISOString(),
      restarts: host.restarts,
      samplesPerSecond: host.samplesPerSecond,
      models: [...host.models],
    })),
  }));
}

function presentTelemetry(
  telemetry: WorkerStatus['devices'][number]['telemetry'],
): DeviceResource['telemetry'] {
  if (telemetry === null) return null;
  const { id: _, ...known } = telemetry;
  return known;
}

/** The devices of all living workers. */
export const deviceRoutes: FastifyPluginAsyncTypebox<{ jobs: JobService }> = async (app, { jobs }) => {
  app.get(
    '/v1/devices',
    {
      schema: {
        tags: ['operations'],
        operationId: 'listDevices',
        summary: 'List the devices of all workers seen in the last 15 s',
        response: {
          200: answer(
            'All devices, by host name and worker.',
            Type.Object(
              { data: Type.Array(DeviceSchema) },
              { additionalProperties: false, title: 'DeviceList' },
            ),
          ),
          ...problems(503),
        },
      },
    },
    async () => {
      const workers = await jobs.livingWorkers();
      const order = ({ hostname, id }: WorkerStatus): string => `${hostname} ${id}`;
      const sorted = workers.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
      return { data: sorted.flatMap(presentDevices) };
    },
  );
};
