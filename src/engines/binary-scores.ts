import { DomainError } from '../errors.ts';
import type { VerifiedModel } from '../models/verify.ts';
import type { EngineSession } from './engine.ts';

/**
 * A session with one score a class, where the network gives a single value a row that decides between two classes. The class
 * with the higher score is what the value says, and the first one where it stands exactly between: 1 - s and s for a sigmoid's
 * value s (exact in float32 from 0.5 on), 0 and z for a logit z. A value that is no number stays none.
 */
export function withScoresOfTwo(session: EngineSession, { manifest, path }: VerifiedModel): EngineSession {
  const { kind = 'scores' } = manifest.output;
  if (kind === 'scores') return session;
  let pairs = new Float32Array(0);
  return {
    ...session,
    async scores(batch, rows) {
      const values = await session.scores(batch, rows);
      if (pairs.length < 2 * rows) pairs = new Float32Array(2 * rows);
      for (let row = 0; row < rows; row += 1) {
        const value = values[row]!;
        if (kind === 'sigmoid' && (value < 0 || value > 1)) {
          throw new DomainError(
            'model_output_invalid',
            `${path} gives ${value}, which is no sigmoid's value; is the manifest's output.kind "logit"?`,
          );
        }
        pairs[2 * row] = kind === 'sigmoid' ? 1 - value : value - value;
        pairs[2 * row + 1] = value;
      }
      return pairs.subarray(0, 2 * rows);
    },
    close: () => session.close(),
  };
}
