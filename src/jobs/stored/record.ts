import { type TSchema, Type } from 'typebox';
import { Bound, OneOf, Sha256 } from '../../contract/building-blocks.ts';
import { EngineSchema } from '../../contract/engine.ts';
import type { EngineDescription } from '../../engines/engine.ts';
import { type Failure, isErrorCode } from '../../errors.ts';
import type { JobRequest } from '../job-record.ts';
import { storedFormat } from './format.ts';

const closed = { additionalProperties: false } as const;

export const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const NoiseLawSchema = Type.Object(
  {
    distribution: Type.String(),
    sigma: Type.Number({ exclusiveMinimum: 0 }),
    scheme: Type.String(),
    version: Count,
  },
  closed,
);

const ofKind = (kind: JobRequest['kind'], parameters: Record<string, TSchema>) =>
  Type.Object(
    {
      kind: Type.Literal(kind),
      model: Type.Object({ name: Type.String(), version: Type.String(), digest: Sha256 }, closed),
      parameters: Type.Object(parameters, closed),
      noise: NoiseLawSchema,
      seed: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      seedSource: OneOf(['server', 'client']),
      firstIndex: Count,
    },
    closed,
  );
const sigma = Type.Number({ exclusiveMinimum: 0 });
const alpha = Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 });

/** What a job was asked for. */
export const requestFormat = storedFormat<JobRequest>({
  what: 'the request of a job',
  version: 1,
  schema: Type.Union([
    ofKind('certification', { sigma, n0: Count, n: Count, alpha, bound: Bound }),
    ofKind('prediction', { sigma, n: Count, alpha }),
  ]),
});

/** The pool that a job is bound to. */
export const engineFormat = storedFormat<EngineDescription>({
  what: 'the engine of a job',
  version: 1,
  schema: EngineSchema,
});

/** Codes are open: later releases have more of them. */
export const StoredFailureSchema = Type.Object({ code: Type.String(), detail: Type.String() }, closed);

const failures = storedFormat<Failure>({
  what: 'the reason of a failure',
  version: 1,
  schema: StoredFailureSchema,
});

/** Why a job or a chunk failed. */
export const failureFormat = {
  ...failures,
  read: (text: string): Failure => knownFailure(failures.read(text)),
};

/** A failure as this release can tell it: a code that it does not know stands in the detail. */
export function knownFailure({ code, detail }: { readonly code: string; readonly detail: string }): Failure {
  return isErrorCode(code) ? { code, detail } : { code: 'internal_error', detail: `${code}: ${detail}` };
}
