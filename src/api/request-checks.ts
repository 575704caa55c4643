import type { FastifyInstance, FastifySchemaCompiler, onRequestAsyncHookHandler } from 'fastify';
import type { TSchema } from 'typebox';
import { DomainError } from '../errors.ts';
import { compileSchema } from '../schema-faults.ts';

/**
 * Checks requests with the same validator as manifests: nothing is coerced, removed or filled in, and the number of
 * faults that are looked for is bounded, so that a body of a million wrong values costs no more than one of a hundred.
 * Query strings are text: in them, and only there, the digits of an integer stand for it.
 */
const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = compileSchema(schema);
  const read = httpPart === 'querystring' ? (value: unknown) => withIntegers(value, schema) : null;
  return (given: unknown) => {
    const value = read === null ? given : read(given);
    return validator.Check(value) ? { value } : { error: [...validator.Errors(value)] as never };
  };
};

function withIntegers(query: unknown, schema: TSchema): unknown {
  const { properties = {} } = schema as { properties?: Readonly<Record<string, { type?: unknown }>> };
  const entries = Object.entries(query as Record<string, unknown>).map(([name, text]) => {
    const digits = Object.hasOwn(properties, name) && properties[name]!.type === 'integer';
    return [
      name,
      digits && typeof text === 'string' && /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text,
    ];
  });
  return Object.fromEntries(entries);
}

const JSON_TYPE = 'application/json';
const MULTIPART_TYPE = 'multipart/form-data';

/** Refuses a body of a type that the route does not read before a byte of it is. */
const requireReadableBody: onRequestAsyncHookHandler = async (request) => {
  const { schema, config } = request.routeOptions;
  if (schema?.body === undefined) return;
  const readable = config.multipartRequest === undefined ? JSON_TYPE : `${JSON_TYPE} or ${MULTIPART_TYPE}`;
  const { 'content-type': type, 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === '0')) {
    throw new DomainError('malformed_request', `the request has no body; this route reads ${readable}`);
  }
  const essence = (type ?? '').split(';')[0]!.trim().toLowerCase();
  if (essence === JSON_TYPE) return;
  if (essence === MULTIPART_TYPE && config.multipartRequest !== undefined) return;
  const given = essence === '' ? 'the request has no Content-Type' : `the Content-Type is ${essence}`;
  throw new DomainError('unsupported_media_type', `${given}; this route reads ${readable}`);
};

export function installRequestChecks(app: FastifyInstance): void {
  app.setValidatorCompiler(compileValidator);
  app.addHook('onRequest', requireReadableBody);
}
