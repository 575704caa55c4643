import type { Draw, Procedure, Tally } from '../../src/smoothing/procedure.ts';
import type { Votes } from '../../src/smoothing/votes.ts';

/** Where a procedure's votes come from: exactly `draw.count` votes over the classes, or a rejection. */
export interface Sampler {
  sample(draw: Draw): Promise<Votes>;
}

/** Runs a procedure to its end on one sampler: the whole method without hosts, queue and coordinator. */
export async function runProcedure<Result>(procedure: Procedure<Result>, sampler: Sampler): Promise<Result> {
  let tally: Tally = {};
  for (;;) {
    const step = procedure.next(tally);
    if (step.kind === 'done') return step.result;
    for (const draw of step.draws) {
      const votes = await sampler.sample(draw);
      const before = tally[draw.purpose] ?? votes.map(() => 0);
      tally = { ...tally, [draw.purpose]: votes.map((count, index) => before[index]! + count) };
    }
  }
}
