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
  /** Where a fetched Redis server is kept. */
  readonly redisCacheDirectory: string;
  /** PATH: where a Redis server is looked for. */
  readonly searchPath: string;
  readonly modelsDirectory: string;
  /** Lanes of the CPU device; null for one a core. */
  readonly lanes: number | null;
  readonly maxInputs: number;
  readonly maxBodyBytes: number;
  readonly retentionSeconds: number;
  readonly logLevel: LogLevel;
}
