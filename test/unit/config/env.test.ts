import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EnvironmentSchema, readConfig } from '../../../src/config/env.ts';
import { DomainError, type Fault } from '../../../src/errors.ts';

function refusal(environment: Record<string, string>, overrides: Record<string, string> = {}): DomainError {
  let refused: unknown;
  try {
    readConfig(overrides, environment);
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(DomainError);
  expect((refused as DomainError).code).toBe('config_invalid');
  return refused as DomainError;
}

const faults = (environment: Record<string, string>): readonly Fault[] => refusal(environment).faults;

describe('without any variable', () => {
  test('the configuration is that of a laptop: this machine only, an embedded Redis server', () => {
    expect(readConfig({}, {})).toEqual({
      host: '127.0.0.1',
      port: 8080,
      redisUrl: null,
      prefix: 'smoothcert',
      dataDirectory: resolve('.smoothcert'),
      cacheDirectory: resolve('.smoothcert/cache'),
      searchPath: '',
      visibleDevices: null,
      modelsDirectory: resolve('models'),
      models: null,
      devices: { kind: 'auto' },
      lanes: null,
      target: { precision: 'fp32', tensorrt: false, wasm: false },
      maxInputs: 1_000,
      maxBodyBytes: 32 * 1024 * 1024,
      retentionSeconds: 72 * 3600,
      poolGoneSeconds: 600,
      logLevel: 'info',
    });
  });

  test('nothing of it can be changed', () => {
    expect(Object.isFrozen(readConfig({}, {}))).toBe(true);
  });
});

describe('variables', () => {
  test('set everything, in the units that their names state', () => {
    const config = readConfig(
      {},
      {
        SMOOTHCERT_HOST: '0.0.0.0',
        SMOOTHCERT_PORT: '0',
        REDIS_URL: 'redis://example:6379/3',
        SMOOTHCERT_PREFIX: 'team-a_1',
        SMOOTHCERT_DATA_DIR: '/var/lib/smoothcert',
        SMOOTHCERT_CACHE_DIR: '/var/cache/smoothcert',
        SMOOTHCERT_MODELS_DIR: 'some/models',
        SMOOTHCERT_MODELS: 'mnist-cnn, other',
        SMOOTHCERT_DEVICES: 'GPU-31cfe05c, MIG-c5720b34-e550-5278-90e6-d99a979aafd1',
        SMOOTHCERT_LANES: '4',
        SMOOTHCERT_PRECISION: 'tf32',
        SMOOTHCERT_TENSORRT: 'on',
        SMOOTHCERT_TENSORFLOW_WASM: 'allow',
        SMOOTHCERT_MAX_INPUTS: '10',
        SMOOTHCERT_MAX_BODY_MIB: '2',
        SMOOTHCERT_RETENTION_HOURS: '1',
        SMOOTHCERT_POOL_GONE_MINUTES: '3',
        LOG_LEVEL: 'debug',
        PATH: '/usr/bin:/bin',
        CUDA_VISIBLE_DEVICES: '0,1',
      },
    );
    expect(config).toEqual({
      host: '0.0.0.0',
      port: 0,
      redisUrl: 'redis://example:6379/3',
      prefix: 'team-a_1',
      dataDirectory: '/var/lib/smoothcert',
      cacheDirectory: '/var/cache/smoothcert',
      searchPath: '/usr/bin:/bin',
      visibleDevices: '0,1',
      modelsDirectory: resolve('some/models'),
      models: ['mnist-cnn', 'other'],
      devices: { kind: 'named', ids: ['GPU-31cfe05c', 'MIG-c5720b34-e550-5278-90e6-d99a979aafd1'] },
      lanes: 4,
      target: { precision: 'tf32', tensorrt: true, wasm: true },
      maxInputs: 10,
      maxBodyBytes: 2 * 1024 * 1024,
      retentionSeconds: 3600,
      poolGoneSeconds: 180,
      logLevel: 'debug',
    });
  });

  test('that are empty are as good as not set, for numbers and texts alike', () => {
    const names = Object.keys(EnvironmentSchema.properties);
    const empty = Object.fromEntries(names.map((name) => [name, '']));
    expect(readConfig({}, empty)).toEqual(readConfig({}, {}));
  });

  test('give way to what the command line sets', () => {
    const environment = { SMOOTHCERT_PORT: '9000', SMOOTHCERT_HOST: '::1' };
    const config = readConfig({ SMOOTHCERT_PORT: '9001', SMOOTHCERT_HOST: undefined }, environment);
    expect(config).toMatchObject({ port: 9001, host: '::1' });
  });

  test('of other programs are left alone', () => {
    expect(readConfig({}, { PORT: 'x', TERM: 'dumb', SMOOTH: '1' })).toEqual(readConfig({}, {}));
  });
});

describe('what can be had again is kept', () => {
  test.each([
    ['in the cache of the user', { HOME: '/home/me' }, '/home/me/.cache/smoothcert'],
    ['where XDG_CACHE_HOME says', { HOME: '/home/me', XDG_CACHE_HOME: '/cache' }, '/cache/smoothcert'],
    [
      'not at a relative XDG_CACHE_HOME',
      { HOME: '/home/me', XDG_CACHE_HOME: 'x' },
      '/home/me/.cache/smoothcert',
    ],
    ['where it is told', { HOME: '/home/me', SMOOTHCERT_CACHE_DIR: '/tmp/c' }, '/tmp/c'],
    ['with the data where there is no user', { SMOOTHCERT_DATA_DIR: '/data' }, '/data/cache'],
  ])('%s', (_where, environment, directory) => {
    expect(readConfig({}, environment).cacheDirectory).toBe(directory);
  });
});

describe('faults', () => {
  test('are reported all at once, each by the name of its variable and with what is allowed', () => {
    const everything = {
      SMOOTHCERT_PORT: '65536',
      SMOOTHCERT_PREFIX: 'a:b',
      SMOOTHCERT_LANES: 'two',
      SMOOTHCERT_MAX_INPUTS: '0',
      SMOOTHCERT_MAX_BODY_MIB: '1.5',
      SMOOTHCERT_RETENTION_HOURS: '-1',
      SMOOTHCERT_POOL_GONE_MINUTES: '10081',
      LOG_LEVEL: 'loud',
      SMOOTHCERT_PROT: '1',
      SMOOTHCERT_A: '1',
      SMOOTHCERT_B: '1',
      SMOOTHCERT_C: '',
    };
    const { faults, message } = refusal(everything);
    expect(faults.map(({ pointer }) => pointer).sort()).toEqual(Object.keys(everything).sort());
    for (const { pointer, detail } of faults) expect(message).toContain(`${pointer} ${detail}`);
  });

  test.each<[Record<string, string>, string]>([
    [
      { SMOOTHCERT_PORT: '70000' },
      'must be an integer from 0 to 65535: port the API listens on; 0 takes a free one',
    ],
    [
      { SMOOTHCERT_PORT: '80a' },
      'must be an integer from 0 to 65535: port the API listens on; 0 takes a free one',
    ],
    [
      { SMOOTHCERT_PORT: '1e3' },
      'must be an integer from 0 to 65535: port the API listens on; 0 takes a free one',
    ],
    [
      { SMOOTHCERT_MAX_BODY_MIB: '9'.repeat(400) },
      'must be an integer from 1 to 1024: size of a request, MiB',
    ],
    [{ SMOOTHCERT_PREFIX: 'a b' }, 'must match ^[A-Za-z0-9_-]{1,40}$: prefix of all keys in Redis'],
    [{ LOG_LEVEL: 'verbose' }, 'is not allowed: one of fatal, error, warn, info, debug, trace, silent'],
    [{ SMOOTHCERT_MODEL_DIR: 'x' }, 'is not a known variable'],
  ])('of %j read as a sentence', (environment, detail) => {
    expect(faults(environment)).toEqual([{ pointer: Object.keys(environment)[0], detail }]);
  });

  test('of what the command line sets are found as well', () => {
    expect(refusal({}, { SMOOTHCERT_LANES: '0' }).faults).toMatchObject([{ pointer: 'SMOOTHCERT_LANES' }]);
  });

  test('never repeat a value, which may be a secret', () => {
    expect(refusal({ SMOOTHCERT_PORT: 'hunter2', SMOOTHCERT_PASSWORD: 'hunter2' }).message).not.toContain(
      'hunter2',
    );
  });
});

test('every variable is described, for the table in the documentation', () => {
  for (const [name, schema] of Object.entries(EnvironmentSchema.properties)) {
    expect((schema as { description?: string }).description, name).toMatch(/\w/);
  }
});
