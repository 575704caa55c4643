import type { LaneTask } from './protocol.ts';
import { cutSegments } from './cut-segments.ts';

type TaskSegment = LaneTask['segments'][number];

/** A part of a batch: consecutive samples of one segment, of which those from `from` to `to` count. */
export interface BatchPart extends TaskSegment {
  /** Samples that come before the first that counts. */
  readonly from: number;
  /** Samples up to the last that counts. */
  readonly to: number;
}

/** The batches of a task, of `rows` samples at most. A batch may hold samples of several inputs. */
export function* packedBatches(
  segments: readonly TaskSegment[],
  rows: number,
): Generator<readonly BatchPart[], undefined> {
  for (const batch of cutSegments(segments, rows)) {
    yield batch.map((each) => ({ ...each, from: 0, to: each.count }));
  }
}

/**
 * The batches of a task where a row's scores depend on its batch by rounding: sample i of a draw stands at place i mod `rows`
 * of a batch of `rows` consecutive samples of that draw. However a draw is cut into tasks and chunks, a sample then meets the
 * same rows at the same places, and has the same class; samples that belong to other tasks are computed and do not count.
 */
export function* alignedBatches(
  segments: readonly TaskSegment[],
  rows: number,
): Generator<readonly BatchPart[], undefined> {
  for (const segment of segments) {
    const end = segment.firstSample + segment.count;
    let firstSample = segment.firstSample - (segment.firstSample % rows);
    for (; firstSample < end; firstSample += rows) {
      const from = Math.max(0, segment.firstSample - firstSample);
      yield [{ ...segment, firstSample, count: rows, from, to: Math.min(rows, end - firstSample) }];
    }
  }
}
