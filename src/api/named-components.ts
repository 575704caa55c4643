import type { SwaggerOptions } from '@fastify/swagger';

type TransformObject = NonNullable<Extract<SwaggerOptions, { mode?: 'dynamic' }>['transformObject']>;

/** What an OpenAPI component may be called. */
const NAME = /^[A-Za-z0-9]+$/;

/** A union of single values of one type as the list that it is, which generators turn into one type in place of many. */
function mergedLiterals(schema: object): object {
  const { anyOf, ...rest } = schema as { readonly anyOf?: readonly Literal[] };
  const [first] = anyOf ?? [];
  if (first === undefined || !anyOf!.every(({ type, enum: values }) => type === first.type && values))
    return schema;
  return { ...rest, type: first.type, enum: anyOf!.flatMap(({ enum: values }) => values) };
}

interface Literal {
  readonly type?: string;
  readonly enum?: readonly unknown[];
}

/**
 * Moves every schema with a one-word title under `components/schemas` and refers to it from where it stood, so that
 * generated clients have one type for each.
 *
 * @throws Error where two different schemas have the same title
 */
export const namedComponents: TransformObject = (document) => {
  if (!('openapiObject' in document)) return document.swaggerObject;
  const schemas: Record<string, unknown> = {};
  const texts = new Map<string, string>();

  function refer(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(refer);
    if (typeof value !== 'object' || value === null) return value;
    const parts = Object.entries(mergedLiterals(value)).map(([key, part]) => [key, refer(part)] as const);
    const referred = Object.fromEntries(parts);
    const { title } = referred;
    if (typeof title !== 'string' || !NAME.test(title) || !('type' in referred)) return referred;
    const text = JSON.stringify(referred);
    if ((texts.get(title) ?? text) !== text) throw new Error(`two different schemas are titled ${title}`);
    texts.set(title, text);
    schemas[title] = referred;
    return { $ref: `#/components/schemas/${title}` };
  }

  const { paths, ...rest } = document.openapiObject;
  const referred = refer(paths) as typeof paths;
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...rest, paths: referred, components: { schemas: sorted } } as typeof document.openapiObject;
};
