import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Nullable, OneOf } from '../../contract/building-blocks.ts';
import { BLAMES, DomainError, type ErrorCode, ERRORS, isErrorCode } from '../../errors.ts';
import { PROBLEM_STATUS, problemType } from '../problem.ts';
import { problems } from '../responses.ts';

const Entry = Type.Object(
  {
    type: Type.String(),
    code: Type.String(),
    status: Nullable(
      Type.Integer(),
      'status of the response; null for a code that stands in a job, a result or a model, or in the output of a command',
    ),
    title: Type.String({ description: 'what went wrong' }),
    blame: OneOf([...BLAMES], {
      title: 'Blame',
      description:
        'whose fault it is: caller (the request), input (one image), model (its files), device (hardware or driver), operator (what the service was given to run with), server (Smoothcert itself)',
    }),
    help: Type.String({ description: 'what to do about it' }),
  },
  {
    additionalProperties: false,
    title: 'ProblemKind',
    description: 'What a code means, of a problem or of anything else that failed.',
  },
);

const entry = (code: ErrorCode) => ({
  type: problemType(code),
  code,
  status: PROBLEM_STATUS[code],
  ...ERRORS[code],
});

/** What each code means, whose fault it is and what to do: the `type` of a problem leads here, and so does any code. */
export const problemRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/problems',
    {
      schema: {
        tags: ['operations'],
        operationId: 'listProblems',
        summary: 'All kinds of problem',
        response: {
          200: Type.Object(
            { data: Type.Array(Entry) },
            {
              additionalProperties: false,
              title: 'ProblemKindList',
              description: 'Every kind: first those that a response can have.',
            },
          ),
        },
      },
    },
    async () => ({ data: (Object.keys(PROBLEM_STATUS) as ErrorCode[]).map(entry) }),
  );
  app.get(
    '/problems/:code',
    {
      schema: {
        tags: ['operations'],
        operationId: 'getProblem',
        summary: 'One kind of problem',
        params: Type.Object({ code: Type.String() }, { additionalProperties: false }),
        response: { 200: Entry, ...problems(404) },
      },
    },
    async ({ params: { code } }) => {
      if (!isErrorCode(code))
        throw new DomainError('resource_not_found', `there is no kind of problem ${code}`);
      return entry(code);
    },
  );
};
