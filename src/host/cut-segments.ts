/** Consecutive samples, whatever else belongs to them. */
interface Samples {
  readonly firstSample: number;
  readonly count: number;
}

/**
 * Cuts segments into groups of at most `most` samples, in order. The groups tile the segments: every sample is in exactly
 * one piece of one group, and a piece keeps what its segment says besides. All but the last group are full.
 *
 * @param multiple of which the first sample of what is left of a segment is: groups then need not be full. At most `most`
 */
export function* cutSegments<Segment extends Samples>(
  segments: Iterable<Segment>,
  most: number,
  multiple = 1,
): Generator<readonly Segment[], undefined> {
  let group: Segment[] = [];
  let free = most;
  for (const segment of segments) {
    let { firstSample, count } = segment;
    while (count > 0) {
      let taken = Math.min(count, free);
      if (taken < count) taken = Math.max(0, taken - ((firstSample + taken) % multiple));
      if (taken > 0) group.push({ ...segment, firstSample, count: taken });
      firstSample += taken;
      count -= taken;
      free -= taken;
      if (free === 0 || count > 0) {
        yield group;
        group = [];
        free = most;
      }
    }
  }
  if (group.length > 0) yield group;
}
