import type { Draw } from '../smoothing/sampler.ts';
import { cutSegments } from '../host/cut-segments.ts';
import type { Segment } from '../host/protocol.ts';

/** The draws that one input asks for in a round. */
export interface InputDraws {
  readonly input: number;
  readonly draws: readonly Draw[];
}

/** What one sampling job draws: a few seconds of work, possibly of several inputs. */
export type Chunk = readonly Segment[];

/**
 * Packs a round's draws into chunks of at most `chunkSamples` samples, in the order of the inputs, so that early inputs
 * are decided early. The chunks tile the draws: every sample asked for is in exactly one segment of one chunk.
 */
export function packChunks(asked: readonly InputDraws[], chunkSamples: number): Chunk[] {
  if (!Number.isInteger(chunkSamples) || chunkSamples < 1) {
    throw new RangeError(`chunkSamples must be a positive integer, not ${chunkSamples}`);
  }
  const segments = asked.flatMap(({ input, draws }) => draws.map((draw) => ({ input, ...draw })));
  return [...cutSegments(segments, chunkSamples)];
}

/** Seconds of work in a chunk: long against a queue's few milliseconds, short against what a crash repeats. */
const CHUNK_SECONDS = 3;
/** Nor does the slowest device take longer than this for one. */
const LONGEST_CHUNK_SECONDS = 4;
/** A round is cut into at least this many chunks a device, so that devices finish together. */
const CHUNKS_PER_DEVICE = 2;
/** Samples in a chunk while no worker has told its speed yet. */
const UNMEASURED_CHUNK = 4_096;

/** A round has at most this many chunks, however slow its devices: its plan and its jobs stay small. */
const MOST_CHUNKS = 10_000;

/**
 * How many samples a chunk should have, from what the living devices measured (samples a second each): about three
 * seconds of work, in as many chunks as every device can take the same number of, so that none draws alone at the end.
 */
export function chunkSize(totalSamples: number, deviceSpeeds: readonly number[]): number {
  const least = Math.ceil(totalSamples / MOST_CHUNKS);
  if (deviceSpeeds.length === 0) return Math.max(UNMEASURED_CHUNK, least);
  const devices = deviceSpeeds.length;
  const mean = deviceSpeeds.reduce((sum, speed) => sum + speed, 0) / devices;
  const long = Math.min(mean * CHUNK_SECONDS, Math.min(...deviceSpeeds) * LONGEST_CHUNK_SECONDS);
  const turns = Math.max(CHUNKS_PER_DEVICE, Math.ceil(totalSamples / (long * devices)));
  // Below a quarter of a second the queue's own cost would show.
  return Math.max(1, least, Math.ceil(Math.max(totalSamples / (devices * turns), mean / 4)));
}
