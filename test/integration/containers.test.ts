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
  readonly secrets?: readonly string[];
  readonly volumes: readonly (string | { readonly source: string; readonly target: string })[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly deploy: {
    readonly resources: { readonly reservations?: { readonly devices?: readonly unknown[] } };
  };
  readonly [key: string]: unknown;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

/** Puts the defaults in place of `${NAME:-default}`, as an empty environment does. */
const withDefaults = (text: string): string => text.replace(/\$\{\w+:-([^}]*)\}/g, '$1');
const parseCompose = (text: string): Compose => parse(withDefaults(text), { merge: true }) as Compose;

const TEXT = read('docker-compose.yml');
const compose = parseCompose(TEXT);
const services = Object.entries(compose.services);
const dockerfile = read('Dockerfile');
const built = services.filter(([, { build }]) => build !== undefined);
const GPU_WORKERS = ['worker-onnx-cuda', 'worker-tensorflow-gpu'];

/** What the Dockerfile says of a stage. */
function stage(name: string): string {
  const [, rest] = dockerfile.split(new RegExp(`^FROM \\S+ AS ${name}$`, 'm'));
  expect(rest, `stage ${name}`).toBeDefined();
  return rest!.split(/^FROM /m)[0]!;
}

/** Variables of the image that a stage makes, those of the stages that it stands on included. */
function imageEnvironment(name: string): Record<string, string> {
  const base = new RegExp(`^FROM (\\S+) AS ${name}$`, 'm').exec(dockerfile)?.[1];
  if (base === undefined) return {};
  const lines = [...stage(name).matchAll(/^ENV ((?:.*\\\n)*.*)$/gm)].map((match) =>
    match[1]!.replaceAll('\\\n', ' '),
  );
  const own = lines.flatMap((line) => line.trim().split(/\s+/)).map((pair) => pair.split('='));
  return { ...imageEnvironment(base), ...Object.fromEntries(own) };
}

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

  test.each([
    ['cpu', ['api', 'redis', 'worker-cpu']],
    ['gpu', ['api', 'redis', ...GPU_WORKERS]],
    ['gpu-onnx', ['api', 'redis', 'worker-onnx-cuda']],
    ['gpu-tensorflow', ['api', 'redis', 'worker-tensorflow-gpu']],
  ])('the profile %s starts Redis, the API and its workers', (profile, expected) => {
    const started = services.filter(([, { profiles }]) => profiles.includes(profile)).map(([name]) => name);
    expect(started.sort()).toEqual(expected);
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

  test.each(built)(
    '%s waits for a healthy Redis, and is healthy only if its image says so',
    (_name, service) => {
      expect(service.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
      expect(stage(service.build!.target)).toMatch(/^HEALTHCHECK .* CMD \[/m);
      expect(service.healthcheck).toBeUndefined();
    },
  );

  test.each(built)(
    '%s has a configuration that is accepted, with the URL of Redis from a secret',
    (_name, service) => {
      const variables = { ...imageEnvironment(service.build!.target), ...service.environment };
      expect(service.secrets).toEqual(['redis-url']);
      expect(variables['REDIS_URL_FILE']).toBe('/run/secrets/redis-url');
      const file = `${ROOT}/${compose.secrets['redis-url']!.file}`;
      expect(readConfig({}, { ...variables, REDIS_URL_FILE: file }).redisUrl).toBe('redis://redis:6379');
    },
  );

  test('no environment holds a secret: what may is a file', () => {
    const names = services.flatMap(([, { environment = {} }]) => Object.keys(environment));
    for (const name of names) expect(name).not.toMatch(/PASSWORD|TOKEN|SECRET|KEY|^REDIS_URL$/);
  });

  test.each(GPU_WORKERS)('%s is pinned to one GPU by its id, and takes no other device', (name) => {
    const { deploy, environment, build } = compose.services[name]!;
    const reserved = { driver: 'nvidia', device_ids: [expect.stringMatching(/^\d$/)], capabilities: ['gpu'] };
    expect(deploy.resources.reservations).toEqual({ devices: [reserved] });
    for (const variables of [environment, imageEnvironment(build!.target)])
      expect(readConfig({}, { ...variables, REDIS_URL_FILE: '' }).devices).toEqual({ kind: 'cuda' });
  });

  test('no other service is given a GPU', () => {
    const others = services.filter(([name]) => !GPU_WORKERS.includes(name));
    for (const [name, { deploy }] of others) expect(deploy.resources.reservations, name).toBeUndefined();
  });

  test('GPU workers on one machine are on different GPUs unless told otherwise', () => {
    const ids = GPU_WORKERS.map((name) => JSON.stringify(compose.services[name]!.deploy));
    expect(new Set(ids).size).toBe(GPU_WORKERS.length);
  });

  test('the image of Redis is pinned, and looked after', () => {
    const { image, healthcheck } = compose.services['redis']!;
    expect(image).toMatch(/^redis:\d+\.\d+\.\d+-bookworm$/);
    expect(healthcheck).toBeDefined();
  });

  test.each(built)(
    '%s is built here, from a target that is named as the image',
    (_name, { image, build }) => {
      expect(image).toBe(`smoothcert-${build!.target}:latest`);
      expect(stage(build!.target)).toContain('org.opencontainers.image.title');
    },
  );

  test('what it mounts is there', () => {
    const mounted = services.flatMap(([, { volumes }]) =>
      volumes.flatMap((volume) => (typeof volume === 'string' ? [] : [volume.source])),
    );
    expect(new Set(mounted)).toEqual(new Set(['./docker/no-tensorrt', './docker/redis.conf', './models']));
    const files = Object.values(compose.secrets).map(({ file }) => file);
    for (const path of [...mounted, ...files]) expect(existsSync(`${ROOT}/${path}`), path).toBe(true);
  });
});

describe('Dockerfile', () => {
  test('every stage stands on the pinned Node 22 or on another stage', () => {
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:22\.\d+\.\d+-bookworm-slim$/m);
    const stages = [...dockerfile.matchAll(/^FROM (\S+) AS (\S+)$/gm)];
    const names = stages.map(([, , name]) => name);
    for (const [, base] of stages) expect(['${NODE_IMAGE}', ...names]).toContain(base);
    expect(names).toEqual(expect.arrayContaining(built.map(([, { build }]) => build!.target)));
  });

  test.each(built)(
    '%s runs as user 1000 under tini, without compilers or package managers of languages',
    (_name, service) => {
      const chain: string[] = [];
      for (let name = service.build!.target; name !== '${NODE_IMAGE}';) {
        chain.push(name);
        name = new RegExp(`^FROM (\\S+) AS ${name}$`, 'm').exec(dockerfile)![1]!;
      }
      expect(chain.at(-1)).toBe('runtime');
      const text = chain.map(stage).join('\n');
      const installed = [...text.matchAll(/apt-get install (.*?) *\\?\n/g)].map((match) => match[1]);
      expect(installed).toEqual(['-y --no-install-recommends tini']);
      expect(stage('runtime')).toMatch(/rm -rf [^]*\/usr\/local\/bin\/npm /);
      for (const name of chain)
        expect([...stage(name).matchAll(/^USER (.*)$/gm)].at(-1)?.[1] ?? '1000:1000').toBe('1000:1000');
      expect(stage('runtime')).toMatch(/^ENTRYPOINT \["\/usr\/bin\/tini", "--", /m);
    },
  );

  test.each(GPU_WORKERS)(
    '%s asks for the driver and nvidia-smi, and keeps what is compiled in a volume',
    (name) => {
      expect(imageEnvironment(name)).toMatchObject({
        NVIDIA_VISIBLE_DEVICES: 'all',
        NVIDIA_DRIVER_CAPABILITIES: 'compute,utility',
        SMOOTHCERT_DEVICES: 'cuda',
        CUDA_CACHE_PATH: expect.stringMatching(/^\/var\/cache\/smoothcert\//),
      });
      const volumes = compose.services[name]!.volumes.filter((volume) => typeof volume === 'string');
      expect(volumes).toEqual([expect.stringMatching(/^[a-z]+-cache:\/var\/cache\/smoothcert$/)]);
    },
  );

  test.each(['docker/cuda-onnxruntime.txt', 'docker/cuda-tensorflow.txt'])(
    '%s pins each wheel by version and digest',
    (path) => {
      const lines = read(path)
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'));
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect(line).toMatch(/^[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}$/);
    },
  );

  // A provider is called by structures that only its own build of the library knows.
  test("the CUDA provider's version is that of the npm package", () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    expect(read('docker/cuda-onnxruntime.txt')).toContain(
      `onnxruntime-gpu==${dependencies['onnxruntime-node']} `,
    );
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
