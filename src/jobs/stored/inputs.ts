import { Type } from 'typebox';
import { CertificateOutcome, Nullable, OneOf, Sha256 } from '../../contract/building-blocks.ts';
import {
  CertificateSchema,
  CertificationReproductionSchema,
  PredictionReproductionSchema,
  ProvenanceSchema,
  VotesSchema,
} from '../../contract/result.ts';
import type { JobEntry, ResultRecord } from '../job-record.ts';
import { storedFormat } from './format.ts';
import { Count, knownFailure, StoredFailureSchema } from './record.ts';

const closed = { additionalProperties: false } as const;

/** What the client said of an input. */
export const entryFormat = storedFormat<JobEntry>({
  what: 'the entry of an input',
  version: 1,
  schema: Type.Object(
    { id: Type.String(), kind: OneOf(['image', 'tensor']), digest: Sha256, label: Nullable(Count) },
    closed,
  ),
});

const counted = { topCount: Count, votes: VotesSchema, warnings: Type.Array(Type.String()) };
const results = storedFormat<ResultRecord>({
  what: 'the result of an input',
  version: 1,
  schema: Type.Union([
    Type.Object(
      {
        kind: Type.Literal('certification'),
        outcome: CertificateOutcome,
        class: Nullable(Count),
        ...counted,
        certificate: CertificateSchema,
      },
      closed,
    ),
    Type.Object(
      {
        kind: Type.Literal('prediction'),
        outcome: OneOf(['predicted', 'abstained']),
        class: Nullable(Count),
        ...counted,
        pValue: Type.Number(),
        provenance: ProvenanceSchema,
      },
      closed,
    ),
    Type.Object(
      {
        kind: Type.Literal('reproduction'),
        ...counted,
        reproduction: Type.Union([CertificationReproductionSchema, PredictionReproductionSchema]),
      },
      closed,
    ),
    Type.Object({ kind: Type.Literal('failed'), error: StoredFailureSchema }, closed),
  ]),
});

/** What was concluded of an input. */
export const resultFormat = {
  ...results,
  read(text: string): ResultRecord {
    const result = results.read(text);
    return result.kind === 'failed' ? { kind: 'failed', error: knownFailure(result.error) } : result;
  },
};
