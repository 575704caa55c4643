import { Type } from 'typebox';
import { OneOf } from '../../contract/building-blocks.ts';
import { EngineSchema } from '../../contract/engine.ts';
import { VotesSchema } from '../../contract/result.ts';
import type { ChunkVotes } from '../../smoothing/evidence.ts';
import type { Round } from '../plan.ts';
import { storedFormat } from './format.ts';
import { Count, NoiseLawSchema } from './record.ts';

const closed = { additionalProperties: false } as const;

const DrawSchema = Type.Object(
  { purpose: OneOf(['selection', 'estimation', 'prediction']), firstSample: Count, count: Count },
  closed,
);

/** What the inputs of a round ask for. */
export const roundFormat = storedFormat<Round>({
  what: 'a round of a job',
  version: 1,
  schema: Type.Object(
    {
      draws: Type.Array(Type.Array(DrawSchema)),
      runs: Type.Array(Type.Tuple([Count, Count, Count])),
      chunkSamples: Type.Integer({ minimum: 1 }),
    },
    closed,
  ),
});

/** What was counted in a chunk, and by what. */
export const votesFormat = storedFormat<ChunkVotes>({
  what: 'the votes of a chunk',
  version: 1,
  schema: Type.Object(
    {
      segments: Type.Array(VotesSchema),
      classes: Type.Integer({ minimum: 1 }),
      engine: EngineSchema,
      noise: NoiseLawSchema,
      device: Type.Object({ name: Type.String(), batchSize: Type.Integer({ minimum: 1 }) }, closed),
    },
    closed,
  ),
});
