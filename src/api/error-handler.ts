import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../errors.ts';
import { describeFaults, type SchemaError } from '../inference/schema-faults.ts';
import { PROBLEM_CONTENT_TYPE, type Problem, problemOf, RETRY_SECONDS } from './problem.ts';

interface FrameworkError extends Error {
  readonly statusCode?: number;
  readonly code?: string;
  readonly validation?: readonly SchemaError[];
  readonly validationContext?: string;
}

/** What Fastify and its plugins throw, in the product's terms. */
function translate(error: FrameworkError): unknown {
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
  switch (error.statusCode) {
    case 400:
      return new DomainError('malformed_request', error.message);
    case 413:
      return new DomainError('payload_too_large', error.message);
    case 406:
    case 415:
      return new DomainError('unsupported_media_type', error.message);
    default:
      return error;
  }
}

function send(reply: FastifyReply, body: Problem): FastifyReply {
  if (body.status === 503) void reply.header('Retry-After', String(RETRY_SECONDS));
  return reply
    .code(body.status)
    .type(PROBLEM_CONTENT_TYPE)
    .serializer((value: unknown) => JSON.stringify(value))
    .send(body);
}

/** Answers every error as a problem, and logs those that are the server's own. */
export function installErrorHandler(app: FastifyInstance): void {
  app.setErrorHandler((error: FrameworkError, request: FastifyRequest, reply) => {
    const translated = translate(error);
    const body = problemOf(translated, request.url);
    if (body.status >= 500) request.log.error({ err: translated }, body.title);
    return send(reply, body);
  });
  app.setNotFoundHandler((request, reply) => {
    const detail = `${request.method} ${request.url.split('?')[0]} is not a route; /docs lists them`;
    return send(reply, problemOf(new DomainError('route_not_found', detail), request.url));
  });
}
