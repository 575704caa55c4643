import type { BatchMixing } from '../batch-mixing.ts';
import type { Tensor } from './tensor.ts';

/** What the tensor of the scores says of a whole graph. */
export function verdictOf(scores: Tensor | undefined): BatchMixing {
  if (scores === undefined) return { verdict: 'unknown', operators: [] };
  const { trace } = scores;
  if (trace.kind === 'lost') return { verdict: trace.mixes ? 'mixes' : 'unknown', operators: trace.operators };
  const plain = trace.kind === 'rows' && trace.axis === 0 && trace.outer === 1 && trace.inner === 1;
  return { verdict: plain ? 'independent' : 'unknown', operators: [] };
}
