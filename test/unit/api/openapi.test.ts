import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { namedComponents } from '../../../src/api/named-components.ts';
import { openapiDocument } from '../../../src/main/openapi.ts';

const COMMITTED = fileURLToPath(new URL('../../../openapi/openapi.json', import.meta.url));

/** What all results of a job can be read as, beside pages of JSON. */
const WHOLE_RESULTS = ['application/x-ndjson', 'text/csv', 'text/tab-separated-values'];

type Json = Record<string, unknown>;
interface MediaType {
  readonly schema?: Json;
  readonly example?: unknown;
}
interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  }[];
  readonly requestBody?: { readonly content: Record<string, MediaType> };
  readonly responses: Record<
    string,
    { readonly description: string; readonly content?: Record<string, MediaType>; readonly headers?: Json }
  >;
}
interface Document {
  readonly openapi: string;
  readonly info: Json;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Json> };
}

let document: Document;
let operations: { readonly name: string; readonly path: string; readonly operation: Operation }[];

beforeAll(async () => {
  document = JSON.parse(JSON.stringify(await openapiDocument())) as Document;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  );
});

/** Every value in the document, with its JSON pointer. */
function* walk(value: unknown, pointer = ''): Generator<{ pointer: string; value: unknown }> {
  yield { pointer, value };
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) yield* walk(part, `${pointer}/${key}`);
}

test('the committed document is the one that the sources describe (npm run openapi writes it)', () => {
  expect(readFileSync(COMMITTED, 'utf8')).toBe(`${JSON.stringify(document, null, 2)}\n`);
});

describe('the document', () => {
  test('is OpenAPI 3.1 with title, version and licence', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'Smoothcert', license: { identifier: 'Apache-2.0' } });
    // Section 4.8.1: nothing but these at the top.
    const allowed = ['openapi', 'info', 'servers', 'paths', 'components', 'security', 'tags'];
    expect(Object.keys(document).filter((key) => !allowed.includes(key))).toEqual([]);
  });

  test('has only references that lead somewhere', () => {
    const references = [...walk(document)].filter(({ pointer }) => pointer.endsWith('/$ref'));
    expect(references.length).toBeGreaterThan(20);
    for (const { value } of references) {
      const [, name] = /^#\/components\/schemas\/(\w+)$/.exec(String(value)) ?? [];
      expect(Object.keys(document.components.schemas), String(value)).toContain(name);
    }
  });

  test('names every object and every list of values, so that no generator has to make up a name that may be taken', () => {
    const unnamed = [...walk(document)].filter(({ pointer, value }) => {
      if (typeof value !== 'object' || value === null || /^\/components\/schemas\/\w+$/.test(pointer))
        return false;
      const { type, enum: values, properties } = value as Json;
      return (type === 'object' && properties !== undefined) || (Array.isArray(values) && values.length > 1);
    });
    expect(unnamed.map(({ pointer }) => pointer)).toEqual([]);
    expect(Object.keys(document.components.schemas).length).toBeGreaterThan(80);
  });

  test('states that no security is asked for yet, and types numbers in queries as numbers', () => {
    expect((document as unknown as Json)['security']).toEqual([]);
    const { parameters } = document.paths['/v1/certifications']!['get']!;
    expect(parameters!.find(({ name }) => name === 'limit')).toMatchObject({
      schema: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
    });
  });

  test('has no component that nothing refers to', () => {
    const text = JSON.stringify(document);
    for (const name of Object.keys(document.components.schemas)) {
      expect(text).toContain(`{"$ref":"#/components/schemas/${name}"}`);
    }
  });

  test('has schemas that are valid JSON Schema 2020-12, the dialect of OpenAPI 3.1, and take their examples', () => {
    // The two formats are annotations to a validator without them.
    const ajv = new Ajv2020({
      strict: true,
      allowUnionTypes: true,
      formats: { 'date-time': true, byte: true, binary: true },
    });
    // "example" is a keyword of OpenAPI's own.
    ajv.addKeyword('example');
    const text = JSON.stringify(document.components.schemas).replaceAll('#/components/schemas/', '#/$defs/');
    ajv.addSchema({ $id: 'document', $defs: JSON.parse(text) as Json });
    const accepts = (name: string, example: unknown): void => {
      const validate = ajv.compile({ $ref: `document#/$defs/${name}` });
      expect(validate(example), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
    };
    let examples = 0;
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      ajv.compile({ $ref: `document#/$defs/${name}` });
      for (const example of [schema['example'], schema['examples']].flat()) {
        if (example === undefined) continue;
        accepts(name, example);
        examples += 1;
      }
    }
    for (const { operation } of operations) {
      for (const { schema, example } of Object.values(operation.requestBody?.content ?? {})) {
        if (example === undefined) continue;
        accepts(String(schema!['$ref']).split('/').at(-1)!, example);
        examples += 1;
      }
    }
    expect(examples).toBeGreaterThanOrEqual(4);
  });

  test('describes every tag that it uses', () => {
    const described = document.tags.map(({ name }) => name);
    const used = new Set(operations.flatMap(({ operation }) => operation.tags ?? []));
    expect([...used].sort()).toEqual([...described].sort());
  });
});

describe('every operation', () => {
  test('has a stable name for client generators, a summary and one tag', () => {
    expect(operations.map(({ name, operation }) => `${name} ${operation.operationId}`).sort()).toEqual([
      'GET /health/live getLiveness',
      'GET /health/ready getReadiness',
      'GET /problems listProblems',
      'GET /problems/{code} getProblem',
      'GET /v1/certifications listCertifications',
      'GET /v1/certifications/{id} getCertification',
      'GET /v1/certifications/{id}/results listCertificationResults',
      'GET /v1/devices listDevices',
      'GET /v1/models listModels',
      'GET /v1/predictions listPredictions',
      'GET /v1/predictions/{id} getPrediction',
      'GET /v1/predictions/{id}/results listPredictionResults',
      'POST /v1/certifications createCertification',
      'POST /v1/certifications/{id}/cancel cancelCertification',
      'POST /v1/predictions createPrediction',
      'POST /v1/predictions/{id}/cancel cancelPrediction',
      'POST /v1/radius computeRadius',
      'POST /v1/sample-size computeSampleSize',
    ]);
    for (const { name, operation } of operations) {
      expect(operation.summary, name).toMatch(/\w/);
      expect(operation.tags, name).toHaveLength(1);
    }
  });

  test('declares the parameters of its path', () => {
    for (const { name, path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(
        declared.map((parameter) => parameter.name),
        name,
      ).toEqual(named);
      expect(
        declared.every((parameter) => parameter.required),
        name,
      ).toBe(true);
    }
  });

  test('describes every response, each with a schema', () => {
    for (const { name, operation } of operations) {
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        expect(description, `${name} ${status}`).toMatch(/\.$/);
        expect(description, `${name} ${status}`).not.toContain('Default');
        const [media] = Object.values(content ?? {});
        expect(media?.schema, `${name} ${status}`).toBeDefined();
      }
    }
  });

  test('answers errors as problems, but for readiness, whose 503 says what is missing', () => {
    for (const { name, operation } of operations) {
      if (name === 'GET /health/ready') continue;
      for (const [status, { content }] of Object.entries(operation.responses)) {
        const type = Number(status) >= 400 ? 'application/problem+json' : 'application/json';
        const others = status === '200' && name.endsWith('/results') ? WHOLE_RESULTS : [];
        expect(Object.keys(content!), `${name} ${status}`).toEqual([type, ...others]);
        if (Number(status) < 400) continue;
        expect(content![type]!.schema).toEqual({ $ref: '#/components/schemas/Problem' });
      }
    }
  });

  test('that submits a job takes JSON and a form, and says where the job is and when to look', () => {
    for (const kind of ['certifications', 'predictions']) {
      const { requestBody, responses } = document.paths[`/v1/${kind}`]!['post']!;
      expect(Object.keys(requestBody!.content)).toEqual(['application/json', 'multipart/form-data']);
      const reference = String(requestBody!.content['multipart/form-data']!.schema!['$ref']);
      expect(document.components.schemas[reference.split('/').at(-1)!]).toMatchObject({
        required: ['request', 'image'],
        properties: {
          request: { $ref: expect.stringMatching(/Form$/) as string },
          image: { type: 'array', items: { type: 'string', format: 'binary' } },
        },
      });
      expect(Object.keys(responses['202']!.headers!)).toEqual([
        'Location',
        'Retry-After',
        'Idempotency-Replayed',
      ]);
      expect(Object.keys(responses).sort()).toEqual(['202', '400', '409', '413', '415', '422', '500', '503']);
    }
  });
});

describe('naming components', () => {
  const named = (paths: unknown): unknown =>
    namedComponents({ openapiObject: { openapi: '3.1.0', info: {}, paths } } as never);

  test('moves titled schemas out, nested ones too, and leaves untitled ones in place', () => {
    const inner = { type: 'string', title: 'Inner' };
    const outer = { type: 'object', title: 'Outer', properties: { a: inner, b: { type: 'null' } } };
    expect(named({ x: outer, y: [inner], z: { title: 'two words', type: 'string' } })).toMatchObject({
      paths: {
        x: { $ref: '#/components/schemas/Outer' },
        y: [{ $ref: '#/components/schemas/Inner' }],
        z: { title: 'two words' },
      },
      components: {
        schemas: { Outer: { properties: { a: { $ref: '#/components/schemas/Inner' } } }, Inner: inner },
      },
    });
  });

  test('turns a union of single values into the list that it is', () => {
    const union = { title: 'Layout', anyOf: ['a', 'b'].map((value) => ({ type: 'string', enum: [value] })) };
    const mixed = { anyOf: [{ type: 'string', enum: ['a'] }, { type: 'null' }] };
    expect(named({ x: union, y: mixed })).toMatchObject({
      paths: { x: { $ref: '#/components/schemas/Layout' }, y: mixed },
      components: { schemas: { Layout: { type: 'string', enum: ['a', 'b'] } } },
    });
  });

  test('refuses one title for two schemas', () => {
    const schemas = { a: { type: 'string', title: 'One' }, b: { type: 'number', title: 'One' } };
    expect(() => named(schemas)).toThrow('two different schemas are titled One');
  });
});
