import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import { DomainError } from '../errors.ts';
import { logLine } from '../log-events.ts';
import { describeFaults, type SchemaError } from '../schema-faults.ts';
import { IN_USE_SECONDS, PROBLEM_CONTENT_TYPE, type Problem, problemOf, RETRY_SECONDS } from './problem.ts';

interface FrameworkError extends Error {
  readonly statusCode?: number;
  readonly code?: string;
  readonly validation?: readonly SchemaError[];
  readonly validationContext?: string;
}

/** What Fastify and its plugins throw, in the product's terms. */
function translate(error: FrameworkError, maxBodyBytes: number): unknown {
  if (error instanceof DomainError) return error;
  if (error.validation !== undefined) {
    // A fault outside the body is named by where it stands: /query/limit.
    const context = error.validationContext ?? 'body';
    const prefix = context === 'body' ? '' : `/${context === 'querystring' ? 'query' : context}`;
    const faults = describeFaults(error.validation).map(({ pointer, detail }) => ({
      pointer: prefix + pointer,
      detail,
    }));
    return new DomainError('validation_failed', undefined, faults);
  }
  // The multipart plugin answers 406 to what cannot be read as a form.
  if (error.code === 'FST_INVALID_MULTIPART_CONTENT_TYPE' || error.code === 'FST_INVALID_JSON_FIELD_ERROR') {
    return new DomainError('malformed_request', error.message);
  }
  switch (error.statusCode) {
    case 400:
      return new DomainError('malformed_request', error.message);
    case 413:
      return new DomainError('payload_too_large', `the request is larger than ${maxBodyBytes} bytes`);
    case 415:
      return new DomainError('unsupported_media_type', error.message);
    case 404:
      return new DomainError('route_not_found', error.message);
    default:
      return refusedStatus(error) === null ? error : new DomainError('request_refused', error.message);
  }
}

/** The status of a framework's error that blames the client; null for the server's own faults. */
function refusedStatus({ statusCode = 500 }: FrameworkError): number | null {
  return statusCode >= 400 && statusCode < 500 ? statusCode : null;
}

function send(reply: FastifyReply, body: Problem): FastifyReply {
  if (body.status === 503) void reply.header('Retry-After', String(RETRY_SECONDS));
  if (body.code === 'idempotency_key_in_use') void reply.header('Retry-After', String(IN_USE_SECONDS));
  return reply
    .code(body.status)
    .type(PROBLEM_CONTENT_TYPE)
    .serializer((value: unknown) => JSON.stringify(value))
    .send(body);
}

/** Answers what goes wrong before a route is found: an address that is not one. */
export const answerFrameworkError: NonNullable<FastifyServerOptions['frameworkErrors']> = (
  error,
  request,
  reply,
) => {
  const code = error.code === 'FST_ERR_MAX_PARAM_LENGTH' ? 'resource_not_found' : 'malformed_request';
  const problem = problemOf(new DomainError(code, error.message), request.url);
  void send(reply, problem);
};

/** Answers every error as a problem, and logs those that are the server's own. */
export function installErrorHandler(app: FastifyInstance, maxBodyBytes: number): void {
  app.setErrorHandler((error: FrameworkError, request: FastifyRequest, reply) => {
    const translated = translate(error, maxBodyBytes);
    const problem = problemOf(translated, request.url);
    const status = problem.code === 'request_refused' ? refusedStatus(error) : null;
    const body = { ...problem, status: status ?? problem.status };
    if (body.status >= 500) {
      const { code, title } = body;
      request.log.error(...logLine('api_request_failed', { code, title, err: translated }));
    }
    return send(reply, body);
  });
  app.setNotFoundHandler((request, reply) => {
    const detail = `${request.method} ${request.url.split('?')[0]} is not a route; /docs lists them`;
    return send(reply, problemOf(new DomainError('route_not_found', detail), request.url));
  });
}
