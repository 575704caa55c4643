import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobResource } from '../../src/contract/resources.ts';
import { MODELS } from '../support/api.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { createTestClient, type ServiceProcess, startProcess, type TestClient } from '../support/service.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';

// What /docs offers to try is sent as it stands, to a service with a shipped model, and must succeed.

interface Schema {
  readonly $ref?: string;
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface MediaType {
  readonly schema: Schema;
  readonly example?: unknown;
}
interface Document {
  readonly paths: Record<string, Record<string, { requestBody?: { content: Record<string, MediaType> } }>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

const DIGIT = fileURLToPath(new URL('../../examples/mnist/00000.png', import.meta.url));
const at = useTemporaryDirectory();

let redis: TestRedis;
let processes: ServiceProcess[];
let client: TestClient;
let document: Document;

beforeAll(async () => {
  redis = await startTestRedis();
  await cp(join(MODELS, 'mnist-cnn'), at('models', 'mnist-cnn'), { recursive: true });
  const variables = { REDIS_URL: redis.url, SMOOTHCERT_PORT: '0', SMOOTHCERT_MODELS_DIR: at('models') };
  processes = ['api', 'worker'].map((command) => startProcess(command, variables));
  const [api, worker] = processes;
  client = createTestClient(String((await api!.logged('api_listening'))['url']));
  await worker!.logged('worker_ready');
  document = (await (await fetch(`${client.url}/openapi.json`)).json()) as Document;
});
afterAll(async () => {
  for (const each of processes ?? []) await each.end();
  await redis?.close();
});

const resolved = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : document.components.schemas[schema.$ref.split('/').at(-1)!]!;

/** The examples of every route that reads a body, by path and media type. */
function examples(type: string): [path: string, example: unknown][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).flatMap(({ requestBody }) => {
      const media = requestBody?.content[type];
      if (media === undefined) return [];
      const schema = resolved(
        type === 'multipart/form-data' ? resolved(media.schema).properties!['request']! : media.schema,
      );
      const found = [media.example, schema.example, ...(schema.examples ?? [])].filter(
        (each) => each !== undefined,
      );
      expect(found.length, `${path} ${type} has no example`).toBeGreaterThan(0);
      return found.map((example): [string, unknown] => [path, example]);
    }),
  );
}

async function succeeded(response: Response): Promise<void> {
  const body = (await response.json()) as JobResource;
  expect(response.ok, JSON.stringify(body)).toBe(true);
  if (response.status !== 202) return;
  expect(await client.ended(body.id)).toMatchObject({ status: 'succeeded', summary: { failed: 0 } });
  const [result] = await client.results(body.id);
  // The image is MNIST's test image 0, a seven.
  expect(result).toMatchObject({ prediction: { class: 7 } });
}

describe('every example of the OpenAPI document succeeds as it stands', () => {
  it('in JSON', async () => {
    const all = examples('application/json');
    expect(new Set(all.map(([path]) => path))).toEqual(
      new Set(['/v1/certifications', '/v1/predictions', '/v1/radius', '/v1/sample-size']),
    );
    for (const [path, example] of all) {
      const body = JSON.stringify(example);
      const headers = { 'content-type': 'application/json' };
      await succeeded(await fetch(client.url + path, { method: 'POST', headers, body }));
    }
  });

  it('as a form, with an image file beside it', async () => {
    const all = examples('multipart/form-data');
    expect(all).toHaveLength(2);
    for (const [path, example] of all) {
      const body = new FormData();
      body.set('request', JSON.stringify(example));
      body.set('image', new Blob([await readFile(DIGIT)], { type: 'image/png' }), 'seven.png');
      await succeeded(await fetch(client.url + path, { method: 'POST', body }));
    }
  });
});
