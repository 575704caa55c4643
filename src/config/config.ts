import type { DeviceSelection } from '../devices/discover.ts';
import type { TargetOptions } from '../devices/target.ts';
import type { LogLevel } from '../logger.ts';

/** Everything a process needs to know from outside; paths are absolute, sizes in bytes, times in seconds. */
export interface Config {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Null asks for an embedded server. */
  readonly redisUrl: string | null;
  readonly prefix: string;
  readonly dataDirectory: string;
  /** What can be had again: a fetched Redis server. */
  readonly cacheDirectory: string;
  /** PATH: where a Redis server and nvidia-smi are looked for. */
  readonly searchPath: string;
  /** CUDA_VISIBLE_DEVICES, as it is; null where it is not set. */
  readonly visibleDevices: string | null;
  readonly modelsDirectory: string;
  /** Names of the models to serve; null for all. */
  readonly models: readonly string[] | null;
  readonly devices: DeviceSelection;
  /** Lanes of each device; null for the number that suits its kind. */
  readonly lanes: number | null;
  /** What sessions may compute in, on every device. */
  readonly target: TargetOptions;
  readonly maxInputs: number;
  readonly maxBodyBytes: number;
  readonly retentionSeconds: number;
  /** How long a job waits for a pool of devices that is gone. */
  readonly poolGoneSeconds: number;
  readonly logLevel: LogLevel;
}
