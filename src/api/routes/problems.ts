import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { DomainError, ERRORS } from '../../errors.ts';
import { isProblemCode, PROBLEM_STATUS, type ProblemCode } from '../problem.ts';
import { problems } from '../responses.ts';

const Entry = Type.Object(
  { type: Type.String(), code: Type.String(), status: Type.Integer(), title: Type.String() },
  {
    additionalProperties: false,
    title: 'ProblemKind',
    description: 'What a problem with this `type` means.',
  },
);

const entry = (code: ProblemCode) => ({
  type: `/problems/${code}`,
  code,
  status: PROBLEM_STATUS[code],
  title: ERRORS[code],
});

/** What each problem type means: the `type` of a problem leads here. */
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
              description: 'Every kind that a response can have.',
            },
          ),
        },
      },
    },
    async () => ({ data: (Object.keys(PROBLEM_STATUS) as ProblemCode[]).map(entry) }),
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
      if (!isProblemCode(code))
        throw new DomainError('resource_not_found', `there is no kind of problem ${code}`);
      return entry(code);
    },
  );
};
