import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { JobService } from '../../jobs/job-service.ts';
import type { WorkerStatus } from '../../jobs/stored/worker-status.ts';
import { DeviceSchema } from '../../contract/device.ts';
import { presentDevices } from '../present-devices.ts';
import { answer, problems } from '../responses.ts';

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
