import type { Draw } from '../smoothing/procedure.ts';
import type { Segment } from '../host/protocol.ts';

/** The draws that one input asks for in a round. */
export interface InputDraws {
  readonly input: number;
  readonly draws: readonly Draw[];
}

/** What one sampling job draws: about a second of work, possibly of several inputs. */
export type Chunk = readonly Segment[];

/**
 * A round as it is stored: what its inputs ask for and how it is cut. Its chunks are not stored, for they follow from it;
 * so a round of a million chunks is as small as one of a single chunk.
 */
export interface Round {
  /** The different lists of draws that inputs ask for: mostly one. */
  readonly draws: readonly (readonly Draw[])[];
  /** Consecutive inputs that ask for the same, in order of the inputs. */
  readonly runs: readonly (readonly [firstInput: number, inputs: number, draws: number])[];
  /** Samples in every chunk but the last of the round. */
  readonly chunkSamples: number;
}

/** All rounds of a job so far. Its chunks are numbered through, from 0. */
export interface Plan {
  readonly rounds: number;
  readonly chunks: number;
  /** @throws RangeError for a number that no chunk has */
  chunk(number: number): Chunk;
  /**
   * The last input that the chunk draws for.
   *
   * @throws RangeError for a number that no chunk has
   */
  lastInput(number: number): number;
  /** Numbers of the chunks that draw for the input, ascending. */
  chunksOf(input: number): number[];
}

/** What the inputs of a round ask for, gathered one by one: alike ones are noted once, however many they are. */
export interface RoundDraws {
  /** @throws RangeError unless the input comes after all before */
  add(asked: InputDraws): void;
  readonly inputs: number;
  readonly samples: number;
  /** Samples of the input that asks for fewest of them. */
  readonly fewest: number;
  /** The round, to be cut into chunks of `chunkSamples` samples. */
  round(chunkSamples: number): Round;
}

export function gatherDraws(): RoundDraws {
  const known = new Map<string, number>();
  const draws: (readonly Draw[])[] = [];
  const runs: [firstInput: number, inputs: number, draws: number][] = [];
  let inputs = 0;
  let samples = 0;
  let latest = -1;
  let fewest = Number.POSITIVE_INFINITY;
  return {
    add({ input, draws: wanted }) {
      if (input <= latest) throw new RangeError(`input ${input} cannot come after input ${latest}`);
      latest = input;
      const text = JSON.stringify(wanted);
      const which = known.get(text) ?? draws.push(wanted) - 1;
      known.set(text, which);
      const last = runs.at(-1);
      if (last !== undefined && last[2] === which && last[0] + last[1] === input) last[1] += 1;
      else runs.push([input, 1, which]);
      inputs += 1;
      samples += samplesIn(wanted);
      fewest = Math.min(fewest, samplesIn(wanted));
    },
    get inputs() {
      return inputs;
    },
    get samples() {
      return samples;
    },
    get fewest() {
      return fewest;
    },
    round(chunkSamples) {
      if (!Number.isInteger(chunkSamples) || chunkSamples < 1) {
        throw new RangeError(`chunkSamples must be a positive integer, not ${chunkSamples}`);
      }
      return { draws, runs, chunkSamples };
    },
  };
}

const samplesIn = (draws: readonly Draw[]): number => draws.reduce((sum, { count }) => sum + count, 0);

/** A run of a round, and where its samples begin in the round. */
interface PlacedRun {
  readonly firstInput: number;
  readonly inputs: number;
  readonly draws: readonly Draw[];
  readonly samplesPerInput: number;
  readonly start: number;
}

/**
 * The chunks of these rounds. They tile the draws in the order of the inputs, so that early inputs are decided early: every
 * sample asked for is in exactly one segment of one chunk, and all chunks of a round but its last are full.
 */
export function planOf(rounds: readonly Round[]): Plan {
  let chunks = 0;
  const placed = rounds.map(({ draws, runs, chunkSamples }) => {
    let samples = 0;
    const placedRuns = runs.map(([firstInput, inputs, which]): PlacedRun => {
      const samplesPerInput = samplesIn(draws[which]!);
      const start = samples;
      samples += inputs * samplesPerInput;
      return { firstInput, inputs, draws: draws[which]!, samplesPerInput, start };
    });
    const firstChunk = chunks;
    chunks += Math.ceil(samples / chunkSamples);
    return { runs: placedRuns, samples, chunkSamples, firstChunk };
  });

  function placeOf(number: number) {
    const round = placed.findLast(({ firstChunk }) => firstChunk <= number);
    if (round === undefined || number >= chunks) throw new RangeError(`there is no chunk ${number}`);
    const from = (number - round.firstChunk) * round.chunkSamples;
    return { runs: round.runs, from, to: Math.min(round.samples, from + round.chunkSamples) };
  }

  return {
    rounds: rounds.length,
    chunks,
    chunk(number) {
      const { runs, from, to } = placeOf(number);
      return segmentsBetween(runs, from, to);
    },
    lastInput(number) {
      const { runs, to } = placeOf(number);
      const { firstInput, samplesPerInput, start } = runs[lastAtMost(runs, 'start', to - 1)]!;
      return firstInput + Math.floor((to - 1 - start) / samplesPerInput);
    },
    chunksOf(input) {
      return placed.flatMap(({ runs, chunkSamples, firstChunk }) => {
        const run = runs[lastAtMost(runs, 'firstInput', input)];
        if (run === undefined || input >= run.firstInput + run.inputs || run.samplesPerInput === 0) return [];
        const from = run.start + (input - run.firstInput) * run.samplesPerInput;
        const first = Math.floor(from / chunkSamples);
        const last = Math.floor((from + run.samplesPerInput - 1) / chunkSamples);
        return Array.from({ length: last - first + 1 }, (_, index) => firstChunk + first + index);
      });
    },
  };
}

/** Index of the last run whose `field` is at most `value`, -1 without one: both fields ascend. */
function lastAtMost(runs: readonly PlacedRun[], field: 'firstInput' | 'start', value: number): number {
  let [below, above] = [-1, runs.length];
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (runs[middle]![field] <= value) below = middle;
    else above = middle;
  }
  return below;
}

/** What samples [from, to) of a round are, counted over its inputs in order. */
function segmentsBetween(runs: readonly PlacedRun[], from: number, to: number): Chunk {
  const found: Segment[] = [];
  for (let number = Math.max(0, lastAtMost(runs, 'start', from)); number < runs.length; number += 1) {
    const { firstInput, inputs, draws, samplesPerInput, start } = runs[number]!;
    if (samplesPerInput === 0 || start + inputs * samplesPerInput <= from) continue;
    if (start >= to) break;
    const first = Math.max(0, Math.floor((from - start) / samplesPerInput));
    for (let index = first; index < inputs; index += 1) {
      let at = start + index * samplesPerInput;
      if (at >= to) break;
      for (const { purpose, firstSample, count } of draws) {
        const skipped = Math.max(0, from - at);
        const taken = Math.min(count, to - at) - skipped;
        if (taken > 0) {
          found.push({
            input: firstInput + index,
            purpose,
            firstSample: firstSample + skipped,
            count: taken,
          });
        }
        at += count;
      }
    }
  }
  return found;
}
