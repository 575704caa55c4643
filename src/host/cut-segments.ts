/** Consecutive samples, whatever else belongs to them. */
interface Samples {
  readonly firstSample: number;
  readonly count: number;
}

/**
 * Cuts segments into groups of at most `most` samples, in order. The groups tile the segments: every sample is in exactly
 * one piece of one group, all but the last group are full, and a piece keeps what its segment says besides.
 */
export function* cutSegments<Segment extends Samples>(
  segments: Iterable<Segment>,
  most: number,
): Generator<readonly Segment[], undefined> {
  let group: Segment[] = [];
  let free = most;
  for (const segment of segments) {
    let { firstSample, count } = segment;
    while (count > 0) {
      const taken = Math.min(count, free);
      group.push({ ...segment, firstSample, count: taken });
      firstSample += taken;
      count -= taken;
      free -= taken;
      if (free === 0) {
        yield group;
        group = [];
        free = most;
      }
    }
  }
  if (group.length > 0) yield group;
}
