import { type TSchema, Type } from 'typebox';
import { PROBLEM_CONTENT_TYPE, type PROBLEM_STATUS } from '../problem.ts';

export const Nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

export const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });

export const Sha256 = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256, 64 hexadecimal digits',
});

export const FaultSchema = Type.Object(
  { pointer: Type.String({ description: 'JSON pointer into the request' }), detail: Type.String() },
  { additionalProperties: false },
);

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'stable address of the kind of problem' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.String(),
    instance: Type.String(),
    errors: Type.Array(FaultSchema, { description: 'every fault found, not only the first' }),
  },
  { additionalProperties: false, description: 'RFC 9457 problem details' },
);

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: 'The request cannot be read.',
  404: 'There is no such resource.',
  409: 'The job has ended.',
  410: 'The results have expired.',
  413: 'The request is too large.',
  415: 'The content type is not one that this route reads.',
  422: 'Values are not allowed, or no certificate of what is asked is possible.',
  500: 'The server met a fault of its own.',
  503: 'The queue cannot be reached; nothing was accepted. Retry-After says when to try again.',
};

/** Problem responses of a route, by status. */
export function problems(
  ...statuses: (typeof PROBLEM_STATUS)[keyof typeof PROBLEM_STATUS][]
): Record<number, { description: string; content: Record<string, { schema: TSchema }> }> {
  return Object.fromEntries(
    [...statuses, 500 as const].map((status) => [
      status,
      {
        description: DESCRIPTIONS[status] ?? '',
        content: { [PROBLEM_CONTENT_TYPE]: { schema: ProblemSchema } },
      },
    ]),
  );
}
