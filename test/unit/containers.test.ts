import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../src/config/env.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${ROOT}/${path}`, 'utf8');

/** What these tests look at; the specification's schema checks the rest. */
interface Service {
  readonly profiles: readonly string[];
  readonly image: string;
  readonly build?: { readonly target: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly (string | { readonly source: string; readonly target: string })[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly [key: string]: unknown;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
}

/** Puts the defaults in place of `${NAME:-default}`, as an empty environment does. */
const withDefaults = (text: string): string => text.replace(/\$\{\w+:-([^}]*)\}/g, '$1');
const parseCompose = (text: string): Compose => parse(withDefaults(text), { merge: true }) as Compose;

const TEXT = read('docker-compose.yml');
const compose = parseCompose(TEXT);
const services = Object.entries(compose.services);
const dockerfile = read('Dockerfile');

function schemaFaults(document: unknown): string[] {
  const schema = JSON.parse(read('test/fixtures/compose/compose-spec.json')) as Record<string, unknown>;
  // It names draft-07 by an address with https, which no validator knows it by; draft-07 is ajv's default.
  delete schema['$schema'];
  const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
  validate(document);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

describe('docker-compose.yml', () => {
  test('is valid against the Compose Specification', () => {
    expect(schemaFaults(compose)).toEqual([]);
  });

  test('a misspelt key is noticed', () => {
    const misspelt = parseCompose(TEXT.replace('read_only: true', 'readonly: true'));
    expect(schemaFaults(misspelt)).toContain('/services/api must NOT have additional properties');
  });

  test('the profile "cpu" starts Redis, the API and a CPU worker', () => {
    const started = services.filter(([, { profiles }]) => profiles.includes('cpu')).map(([name]) => name);
    expect(started.sort()).toEqual(['api', 'redis', 'worker-cpu']);
  });

  test.each(services)(
    '%s can write only to its volumes and /tmp, and gains no privileges',
    (_name, service) => {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        restart: 'unless-stopped',
      });
      expect(service['cap_add']).toBeUndefined();
      expect(service['privileged']).toBeUndefined();
    },
  );

  test.each(services)('%s has limits and a grace period', (_name, service) => {
    expect(service).toMatchObject({
      deploy: {
        resources: {
          limits: { cpus: expect.any(String), memory: expect.any(String), pids: expect.any(Number) },
        },
      },
      stop_grace_period: expect.stringMatching(/^\d+s$/),
    });
  });

  test('ports are published on loopback only, and none of Redis', () => {
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]));
    expect(published).toEqual([['api', '127.0.0.1:8080:8080']]);
    expect(compose.services['redis']!.networks.map((name) => compose.networks[name])).toEqual([
      { internal: true },
    ]);
  });

  test.each(['api', 'worker-cpu'])(
    '%s waits for a healthy Redis, and its environment is accepted',
    (name) => {
      const { depends_on, environment } = compose.services[name]!;
      expect(depends_on).toEqual({ redis: { condition: 'service_healthy' } });
      expect(readConfig({}, environment).redisUrl).toBe('redis://redis:6379');
    },
  );

  test('the image of Redis is pinned, and looked after', () => {
    const { image, healthcheck } = compose.services['redis']!;
    expect(image).toMatch(/^redis:\d+\.\d+\.\d+-bookworm$/);
    expect(healthcheck).toBeDefined();
  });

  test.each(['api', 'worker-cpu'])('%s is built here, from a target with a health check', (name) => {
    const { target } = compose.services[name]!.build!;
    const [, stage] = dockerfile.split(new RegExp(`^FROM \\S+ AS ${target}$`, 'm'));
    expect(stage?.split(/^FROM /m)[0]).toMatch(/^HEALTHCHECK .* CMD \[/m);
  });

  test('what it mounts is there', () => {
    const mounted = services.flatMap(([, { volumes }]) =>
      volumes.flatMap((volume) => (typeof volume === 'string' ? [] : [volume.source])),
    );
    expect(new Set(mounted)).toEqual(new Set(['./docker/redis.conf', './models']));
    for (const path of mounted) expect(existsSync(`${ROOT}/${path}`), path).toBe(true);
  });
});

describe('Dockerfile', () => {
  test('every stage stands on the pinned Node 22 or on another stage', () => {
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:22\.\d+\.\d+-bookworm-slim$/m);
    const stages = [...dockerfile.matchAll(/^FROM (\S+) AS (\S+)$/gm)];
    const names = stages.map(([, , name]) => name);
    for (const [, base] of stages) expect(['${NODE_IMAGE}', ...names]).toContain(base);
    expect(names).toEqual(expect.arrayContaining(['api', 'worker-cpu']));
  });

  test('what it copies is there, and let through by .dockerignore', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) =>
      paths!.split(' '),
    );
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => new RegExp(`^${line.slice(1).replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`));
    expect(copied).toContain('package-lock.json');
    for (const path of copied) {
      expect(existsSync(`${ROOT}/${path}`), path).toBe(true);
      expect(
        allowed.some((pattern) => pattern.test(path)),
        `${path} in .dockerignore`,
      ).toBe(true);
    }
  });
});

describe('docker/redis.conf', () => {
  const lines = read('docker/redis.conf').split('\n');

  // scripts/build-images.sh asks a server that runs with this file.
  test.each(['appendonly yes', 'appendfsync always', 'save ""', 'maxmemory-policy noeviction'])(
    'says %s',
    (line) => expect(lines).toContain(line),
  );
});
