import { gatherDraws, type InputDraws, type Round } from '../../src/jobs/plan.ts';

/** A round in which these inputs ask for draws, cut into chunks of `chunkSamples` samples. */
export function planRound(asked: readonly InputDraws[], chunkSamples: number): Round {
  const draws = gatherDraws();
  for (const each of asked) draws.add(each);
  return draws.round(chunkSamples);
}
