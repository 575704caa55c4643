import type { ChunkVotes } from '../smoothing/evidence.ts';
import type { Chunk, Plan } from './plan.ts';
import type { BoundJob, SamplingStore } from './sampling-store.ts';

/** The segments of a chunk that draw for one input, and their votes. */
export interface VotedSegments {
  readonly chunk: Chunk;
  readonly votes: ChunkVotes;
}

/**
 * Reads the votes of a job's inputs, one input after another in ascending order. A chunk may draw for thousands of small
 * inputs: it is read once for all of them, where a look for each would cost the square of their number. Only chunks that have
 * their votes are remembered, and those for the input asked for last; votes never change.
 */
export interface VoteReader {
  /** Null where a chunk that draws for the input has no votes. */
  votesOf(input: number): Promise<VotedSegments[] | null>;
}

export function createVoteReader(sampling: SamplingStore, job: BoundJob, plan: Plan): VoteReader {
  const known = new Map<number, Promise<VotedChunk | null>>();

  function read(chunks: readonly number[]): Promise<(VotedChunk | null)[]> {
    const missing = chunks.filter((chunk) => !known.has(chunk));
    const votes = missing.length === 0 ? Promise.resolve([]) : sampling.votes(job, missing);
    for (const [index, chunk] of missing.entries()) {
      const voted = votes.then((found) => votedChunk(plan.chunk(chunk), found[index] ?? null));
      known.set(chunk, voted);
    }
    const all = Promise.all(chunks.map((chunk) => known.get(chunk)!));
    const wanted = new Set(chunks);
    for (const chunk of known.keys()) if (!wanted.has(chunk)) known.delete(chunk);
    return all;
  }

  return {
    async votesOf(input) {
      const chunks = plan.chunksOf(input);
      const found: VotedSegments[] = [];
      for (const [index, voted] of (await read(chunks)).entries()) {
        if (voted === null) {
          known.delete(chunks[index]!);
          return null;
        }
        found.push(voted.of(input));
      }
      return found;
    },
  };
}

interface VotedChunk {
  of(input: number): VotedSegments;
}

/** A chunk with its votes, by input: the segments of an input stand together. */
function votedChunk(chunk: Chunk, votes: ChunkVotes | null): VotedChunk | null {
  if (votes === null) return null;
  const starts = new Map<number, number>();
  for (const [index, { input }] of chunk.entries()) if (!starts.has(input)) starts.set(input, index);
  return {
    of(input) {
      const from = starts.get(input) ?? chunk.length;
      let to = from;
      while (to < chunk.length && chunk[to]!.input === input) to += 1;
      return { chunk: chunk.slice(from, to), votes: { ...votes, segments: votes.segments.slice(from, to) } };
    },
  };
}
