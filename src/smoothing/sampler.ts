import type { Purpose } from '../random/noise-stream.ts';

/** Votes by class: element c counts the noisy samples that the base classifier put in class c. */
export type Votes = readonly number[];

/** A request for the noisy votes of one input: samples [firstSample, firstSample + count) of one purpose. */
export interface Draw {
  readonly purpose: Purpose;
  readonly firstSample: number;
  readonly count: number;
}

/**
 * The port through which smoothing gets noisy votes.
 *
 * A sampler must answer with exactly `draw.count` votes or reject; it never answers with fewer. Its votes must be a pure
 * function of (base classifier, input, seed, sigma, draw): asking again gives the same votes, and the votes of two
 * draws over disjoint samples or of different purposes are independent.
 */
export interface Sampler {
  sample(draw: Draw): Promise<Votes>;
}

/** Number of votes in all. */
export function totalVotes(votes: Votes): number {
  return votes.reduce((sum, count) => sum + count, 0);
}

/** The class with most votes; of several the lowest, so that ties break the same way everywhere. */
export function topClass(votes: Votes): number {
  let top = 0;
  for (const [index, count] of votes.entries()) if (count > votes[top]!) top = index;
  return top;
}

/** The class with most votes other than `excluded` (the lowest of several), or null with a single class. */
export function runnerUpClass(votes: Votes, excluded: number): number | null {
  let best: number | null = null;
  for (const [index, count] of votes.entries()) {
    if (index !== excluded && (best === null || count > votes[best]!)) best = index;
  }
  return best;
}

/** Adds votes of disjoint draws. Throws where they are not over the same classes. */
export function addVotes(a: Votes, b: Votes): number[] {
  if (a.length !== b.length)
    throw new RangeError(`votes over ${a.length} and ${b.length} classes cannot be added`);
  return a.map((count, index) => count + b[index]!);
}
