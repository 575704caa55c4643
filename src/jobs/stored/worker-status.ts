import type { HostStatus } from '../../host/supervised-host.ts';
import type { DeviceTelemetry } from '../../devices/telemetry.ts';
import type { NoiseScheme } from '../../random/noise-law.ts';
import type { DeviceKind } from '../../engines/compute-target.ts';
import { Type } from 'typebox';
import { Nullable, OneOf, Sha256 } from '../../contract/building-blocks.ts';
import { EngineSchema } from '../../contract/engine.ts';
import { HOST_STATES } from '../../contract/status.ts';
import { storedFormat } from './format.ts';
import { Count, StoredFailureSchema } from './record.ts';

/** What a worker tells of itself every few seconds. */
export interface WorkerStatus {
  readonly id: string;
  readonly hostname: string;
  readonly pid: number;
  readonly version: string;
  /** What its hosts draw noise by. */
  readonly noise: readonly NoiseScheme[];
  readonly devices: readonly {
    readonly id: string;
    readonly name: string;
    readonly kind: DeviceKind;
    readonly lanes: number;
    readonly driver: string | null;
    /** As it was seconds ago; null before it was read for the first time. */
    readonly telemetry: DeviceTelemetry | null;
    readonly hosts: readonly HostStatus[];
  }[];
}

const Speed = Type.Number({ minimum: 0 });
const named = { name: Type.String(), digest: Sha256 };

const TelemetrySchema = Type.Object({
  id: Type.String(),
  memoryUsedBytes: Nullable(Type.Number()),
  memoryTotalBytes: Nullable(Type.Number()),
  temperatureCelsius: Nullable(Type.Number()),
  utilisation: Nullable(Type.Number()),
  powerWatts: Nullable(Type.Number()),
  health: OneOf(['ok', 'degraded', 'lost', 'unknown']),
  reason: Nullable(Type.String()),
});

const HostSchema = Type.Object({
  engine: OneOf(['onnx', 'tensorflow']),
  state: OneOf([...HOST_STATES]),
  reason: Nullable(Type.String()),
  since: Type.Number(),
  hostPid: Nullable(Count),
  restarts: Count,
  samplesPerSecond: Speed,
  models: Type.Array(
    Type.Object({ ...named, engine: EngineSchema, batchSize: Count, samplesPerSecond: Speed }),
  ),
  refused: Type.Array(Type.Object({ ...named, ...StoredFailureSchema.properties })),
});

/** What a worker tells of itself. It may tell more: nothing is computed from what is not read. */
export const workerStatusFormat = storedFormat<WorkerStatus>({
  what: 'the status of a worker',
  version: 1,
  schema: Type.Object({
    id: Type.String(),
    hostname: Type.String(),
    pid: Count,
    version: Type.String(),
    noise: Type.Array(Type.Object({ scheme: Type.String(), version: Count })),
    devices: Type.Array(
      Type.Object({
        id: Type.String(),
        name: Type.String(),
        kind: OneOf(['cpu', 'cuda', 'webgpu']),
        lanes: Count,
        driver: Nullable(Type.String()),
        telemetry: Nullable(TelemetrySchema),
        hosts: Type.Array(HostSchema),
      }),
    ),
  }),
});
