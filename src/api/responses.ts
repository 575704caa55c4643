import { type TSchema, Type } from 'typebox';
import { PROBLEM_CODES, PROBLEM_CONTENT_TYPE, type ProblemStatus } from './problem.ts';
import { OneOf } from '../contract/building-blocks.ts';

export const FaultSchema = Type.Object(
  { pointer: Type.String({ description: 'JSON pointer into the request' }), detail: Type.String() },
  { additionalProperties: false, title: 'Fault' },
);

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'stable address of the kind of problem, /problems/ and its code' }),
    title: Type.String({ description: 'what this kind of problem is' }),
    status: Type.Integer({ description: 'status of the response' }),
    code: OneOf([...PROBLEM_CODES], { title: 'ProblemCode' }),
    detail: Type.String({ description: 'what went wrong this time' }),
    instance: Type.String({ description: 'path of the request' }),
    errors: Type.Array(FaultSchema, { description: 'every fault found, not only the first' }),
  },
  { additionalProperties: false, title: 'Problem', description: 'RFC 9457 problem details' },
);

const DESCRIPTIONS: Readonly<Record<ProblemStatus, string>> = {
  400: 'The request cannot be read.',
  404: 'There is no such resource.',
  406: 'None of the media types of the response is one that the request accepts.',
  409: 'The job has ended, no worker can run the model that a new one names, or a request with the same Idempotency-Key is still being accepted (Retry-After says when to try again).',
  410: 'The results have expired.',
  413: 'The request is too large.',
  415: 'The content type is not one that this route reads.',
  422: 'Values are not allowed, no certificate of what is asked is possible, or the Idempotency-Key came with another request before.',
  500: 'The server met a fault of its own.',
  503: 'The queue cannot be reached, or too many large requests are under way; nothing was accepted, unless under an Idempotency-Key. Retry-After says when to try again.',
};

/** A successful response, with the headers that it may carry and the media types that it may have but for JSON. */
export function answer(
  description: string,
  schema: TSchema,
  headers: Readonly<Record<string, TSchema>> = {},
  otherMedia: Readonly<Record<string, TSchema>> = {},
) {
  const others = Object.entries(otherMedia).map(([type, each]) => [type, { schema: each }] as const);
  return {
    description,
    headers,
    content: { 'application/json': { schema }, ...Object.fromEntries(others) },
  };
}

/** Problem responses of a route, by status. */
export function problems(...statuses: ProblemStatus[]): Record<number, object> {
  return Object.fromEntries(
    [...statuses, 500 as const].map((status) => [
      status,
      {
        description: DESCRIPTIONS[status],
        ...(status === 503 || status === 409
          ? {
              headers: {
                'Retry-After': Type.Integer({ description: 'seconds to wait before trying again' }),
              },
            }
          : {}),
        content: { [PROBLEM_CONTENT_TYPE]: { schema: ProblemSchema } },
      },
    ]),
  );
}
