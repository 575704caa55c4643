import { type Static, Type } from 'typebox';
import { Nullable, OneOf, Sha256, Timestamp } from './building-blocks.ts';
import { EngineSchema } from './engine.ts';
import { HOST_STATES } from './status.ts';

const closed = { additionalProperties: false } as const;

const state = OneOf([...HOST_STATES], {
  title: 'HostState',
  description:
    'ready; recovering: it failed and its next draw starts it anew; out: it failed again and again, takes no draws, and is tried again after a pause',
});

export const DeviceSchema = Type.Object(
  {
    object: Type.Literal('device'),
    id: Type.String({ description: 'cpu, webgpu, or the UUID of the GPU or MIG slice' }),
    name: Type.String({ description: 'as certificates show it' }),
    kind: OneOf(['cpu', 'cuda', 'webgpu'], { title: 'DeviceKind' }),
    lanes: Type.Integer({ description: 'threads that each make noise and run the network' }),
    driver: Nullable(Type.String({ description: 'version of the NVIDIA driver' })),
    telemetry: Nullable(
      Type.Object(
        {
          memoryUsedBytes: Nullable(Type.Integer()),
          memoryTotalBytes: Nullable(Type.Integer()),
          temperatureCelsius: Nullable(Type.Number()),
          utilisation: Nullable(Type.Number({ description: 'share of the time that it computed, 0 to 1' })),
          powerWatts: Nullable(Type.Number()),
          health: OneOf(['ok', 'degraded', 'lost', 'unknown'], { title: 'DeviceHealth' }),
          reason: Nullable(Type.String({ description: 'why the health is not ok' })),
        },
        {
          ...closed,
          title: 'Telemetry',
          description: 'as the driver said seconds ago; null for what it does not say',
        },
      ),
    ),
    worker: Type.Object(
      { id: Type.String(), hostname: Type.String(), version: Type.String() },
      { ...closed, title: 'WorkerIdentity', description: 'the process that the device belongs to' },
    ),
    state,
    hosts: Type.Array(
      Type.Object(
        {
          engine: Type.String({ description: 'onnx or tensorflow' }),
          state,
          reason: Nullable(Type.String({ description: 'why it is not ready' })),
          since: Timestamp,
          restarts: Type.Integer({ description: 'how often its process was started again' }),
          samplesPerSecond: Type.Integer({ description: 'counted over the last ten seconds' }),
          models: Type.Array(
            Type.Object(
              {
                name: Type.String(),
                digest: Sha256,
                engine: EngineSchema,
                batchSize: Type.Integer(),
                samplesPerSecond: Type.Number({ description: 'measured when it was loaded' }),
              },
              { ...closed, title: 'WarmModel' },
            ),
            { description: 'loaded and warmed up' },
          ),
        },
        {
          ...closed,
          title: 'DeviceHost',
          description: 'the process that computes on the device with one engine',
        },
      ),
    ),
  },
  { ...closed, title: 'Device' },
);

export type DeviceResource = Static<typeof DeviceSchema>;
