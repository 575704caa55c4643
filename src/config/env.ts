import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { DomainError } from '../errors.ts';
import { LOG_LEVELS } from '../logger.ts';
import type { Config } from './config.ts';
import { type ReadDeviceSettings, readDeviceSettings } from './device-settings.ts';
import { readRedisUrl } from './redis-settings.ts';

/** `models/` of the package, two folders above this file in the sources and in the build. */
const SHIPPED_MODELS = fileURLToPath(new URL('../../models', import.meta.url));

// The only reader of the environment. Every variable is described here once; the README's table is made from this.

const integer = (description: string, minimum: number, maximum: number) =>
  Type.Integer({ minimum, maximum, description });

const choice = <const Value extends string>(values: readonly Value[], usual: Value, description: string) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { default: usual, description },
  );

export const EnvironmentSchema = Type.Object(
  {
    SMOOTHCERT_HOST: Type.String({
      minLength: 1,
      default: '127.0.0.1',
      description: 'address the API listens on',
    }),
    SMOOTHCERT_PORT: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 8080,
      description: 'port the API listens on; 0 takes a free one',
    }),
    REDIS_URL: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'redis://, rediss:// or unix:// URL; without it an embedded server is started',
      }),
    ),
    REDIS_URL_FILE: Type.Optional(
      Type.String({ minLength: 1, description: 'file that holds the URL, in place of REDIS_URL: a secret' }),
    ),
    SMOOTHCERT_PREFIX: Type.String({
      pattern: '^[A-Za-z0-9_-]{1,40}$',
      default: 'smoothcert',
      description: 'prefix of all keys in Redis',
    }),
    SMOOTHCERT_DATA_DIR: Type.String({
      minLength: 1,
      default: '.smoothcert',
      description: "the embedded Redis server's data",
    }),
    SMOOTHCERT_CACHE_DIR: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          "what can be had again: a fetched Redis server, measured batch sizes; the user's cache (XDG_CACHE_HOME or ~/.cache) without it",
      }),
    ),
    SMOOTHCERT_MODELS_DIR: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'folders with a manifest.json each; the shipped models without it',
      }),
    ),
    SMOOTHCERT_MODELS: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9.-]+( *, *[a-z0-9.-]+)*$',
        description: 'names of the models to serve, separated by commas; all of the folder without it',
      }),
    ),
    SMOOTHCERT_DEVICES: Type.String({
      minLength: 1,
      default: 'auto',
      description:
        'cuda (all NVIDIA GPUs), cpu, webgpu, auto (all NVIDIA GPUs, or else the CPU), or UUIDs of GPUs and MIG slices',
    }),
    SMOOTHCERT_LANES: Type.Optional(
      integer('lanes of each device; without it one a core on the CPU, 2 on a GPU, 1 on WebGPU', 1, 256),
    ),
    SMOOTHCERT_PRECISION: choice(
      ['fp32', 'tf32'],
      'fp32',
      'coarsest arithmetic on NVIDIA GPUs: fp32 or tf32',
    ),
    SMOOTHCERT_TENSORRT: choice(
      ['off', 'on'],
      'off',
      'on or off: whether ONNX models run in TensorRT on NVIDIA GPUs',
    ),
    SMOOTHCERT_TENSORFLOW_WASM: choice(
      ['refuse', 'allow'],
      'refuse',
      'allow or refuse: TensorFlow models on WebAssembly where the native library is missing',
    ),
    SMOOTHCERT_MAX_INPUTS: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 1_000,
      description: 'inputs in a request',
    }),
    SMOOTHCERT_MAX_BODY_MIB: Type.Integer({
      minimum: 1,
      maximum: 1_024,
      default: 32,
      description: 'size of a request, MiB',
    }),
    SMOOTHCERT_RETENTION_HOURS: Type.Integer({
      minimum: 1,
      maximum: 8_760,
      default: 72,
      description: 'how long results are kept',
    }),
    SMOOTHCERT_POOL_GONE_MINUTES: Type.Integer({
      minimum: 0,
      maximum: 10_080,
      default: 10,
      description:
        'minutes that a job waits for the engine and devices it is bound to when they are gone, before others draw for it anew',
    }),
    LOG_LEVEL: Type.Union(
      LOG_LEVELS.map((level) => Type.Literal(level)),
      { default: 'info', description: `one of ${LOG_LEVELS.join(', ')}` },
    ),
  },
  { additionalProperties: true },
);

/** This process's own environment, of which device hosts get a part (src/devices/pinned-environment.ts). */
export function ownEnvironment(): NodeJS.ProcessEnv {
  return process.env;
}

/** Whether npm or npx started this process, or one that started it. */
export function startedByNpm(): boolean {
  return process.env['npm_lifecycle_event'] !== undefined;
}

type Environment = Static<typeof EnvironmentSchema>;

/**
 * Reads the configuration from environment variables.
 *
 * @param overrides variables that a command line option sets
 * @throws DomainError `config_invalid` with every fault, each by the name of its variable
 */
export function readConfig(
  overrides: Readonly<Record<string, string | undefined>> = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const given: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(EnvironmentSchema.properties)) {
    const text = overrides[name] ?? environment[name];
    const numeric = 'type' in schema && schema.type === 'integer';
    // An empty variable is one that was not set: that is how containers pass them on.
    if (text !== undefined && text !== '')
      given[name] = numeric && /^-?\d+$/.test(text) ? Number(text) : text;
    else if ('default' in schema) given[name] = schema.default;
  }
  const known = Object.keys(EnvironmentSchema.properties);
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith('SMOOTHCERT_') && !known.includes(name),
  );
  const invalid = Object.entries(EnvironmentSchema.properties).flatMap(([name, schema]) =>
    given[name] === undefined || Value.Check(schema, given[name]) ? [] : [name],
  );
  const redis = readRedisUrl(given);
  const devices = readDeviceSettings(given as Environment);
  const faults = [
    ...unknown.map((name) => ({ pointer: name, detail: 'is not a known variable' })),
    ...invalid.map((name) => {
      const { description } = property(name);
      return { pointer: name, detail: `${allowed(name)}: ${description}` };
    }),
    ...redis.faults,
    // What a value that is not allowed would mean with others says nothing more.
    ...devices.faults.filter(({ pointer }) => !invalid.includes(pointer)),
  ];
  if (faults.length > 0) {
    const sentence = faults.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ');
    throw new DomainError('config_invalid', sentence, faults);
  }
  return toConfig(given as Environment, redis.url, devices, environment);
}

interface Property {
  readonly description: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

function property(name: string): Property {
  return (EnvironmentSchema.properties as unknown as Record<string, Property>)[name]!;
}

function allowed(name: string): string {
  const schema = property(name);
  if (schema.minimum !== undefined) return `must be an integer from ${schema.minimum} to ${schema.maximum}`;
  if (schema.pattern !== undefined) return `must match ${schema.pattern}`;
  return 'is not allowed';
}

/** Where the user's cache is (XDG Base Directory Specification 0.8); null where there is no user. */
function cacheDirectory(
  { SMOOTHCERT_CACHE_DIR }: Environment,
  { XDG_CACHE_HOME, HOME }: Readonly<Record<string, string | undefined>>,
): string | null {
  if (SMOOTHCERT_CACHE_DIR !== undefined) return resolve(SMOOTHCERT_CACHE_DIR);
  // The specification has relative paths ignored.
  if (XDG_CACHE_HOME !== undefined && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'smoothcert');
  return HOME !== undefined && isAbsolute(HOME) ? join(HOME, '.cache', 'smoothcert') : null;
}

function toConfig(
  given: Environment,
  redisUrl: string | null,
  devices: ReadDeviceSettings,
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const dataDirectory = resolve(given.SMOOTHCERT_DATA_DIR);
  return Object.freeze({
    host: given.SMOOTHCERT_HOST,
    port: given.SMOOTHCERT_PORT,
    redisUrl,
    prefix: given.SMOOTHCERT_PREFIX,
    dataDirectory,
    cacheDirectory: cacheDirectory(given, environment) ?? resolve(dataDirectory, 'cache'),
    searchPath: environment['PATH'] ?? '',
    visibleDevices: environment['CUDA_VISIBLE_DEVICES'] ?? null,
    modelsDirectory:
      given.SMOOTHCERT_MODELS_DIR === undefined ? SHIPPED_MODELS : resolve(given.SMOOTHCERT_MODELS_DIR),
    models: given.SMOOTHCERT_MODELS?.split(',').map((name) => name.trim()) ?? null,
    devices: devices.selection,
    lanes: given.SMOOTHCERT_LANES ?? null,
    target: devices.target,
    maxInputs: given.SMOOTHCERT_MAX_INPUTS,
    maxBodyBytes: given.SMOOTHCERT_MAX_BODY_MIB * 1024 * 1024,
    retentionSeconds: given.SMOOTHCERT_RETENTION_HOURS * 3600,
    poolGoneSeconds: given.SMOOTHCERT_POOL_GONE_MINUTES * 60,
    logLevel: given.LOG_LEVEL,
  });
}
