/** What is known of one host of a pool that has a job's model. */
export interface HostSpeed {
  readonly samplesPerSecond: number;
  /** Samples that its lanes take together: a batch each. */
  readonly rows: number;
}

/** Chunks a host holds: one that it samples and one that waits, so that no lane idles between chunks. */
export const CHUNKS_PER_HOST = 2;

/**
 * Seconds of work in a chunk: long against the few milliseconds that a queue takes for one, short for those who wait. A new
 * job gets a host when the chunks that the host holds are drawn, and a crash repeats no more than that.
 */
const CHUNK_SECONDS = 1;
/** Nor does the slowest host take longer than this for one, unless a batch on each lane takes longer. */
const LONGEST_CHUNK_SECONDS = 1.5;
/** A round has at most this many chunks, however slow its hosts: the votes of one input stay readable. */
const MOST_CHUNKS = 100_000;
/** A chunk draws for about this many inputs at most, however small they are: all of them are in its host's memory. */
const MOST_INPUTS = 1_000;
/** Samples in a chunk while no worker has told its speed yet. */
const UNMEASURED_CHUNK = 4_096;

/**
 * How many samples a chunk should have, from what the living hosts measured: about a second of work, in as many chunks as
 * every host can take the same number of, so that none draws alone at the end, and in whole batches
 * on all lanes of the host that has the smallest; but not for more inputs than a host should hold at a time.
 *
 * @param fewest samples of the input that takes fewest of them
 */
export function chunkSize(
  totalSamples: number,
  hosts: readonly HostSpeed[],
  fewest = Number.POSITIVE_INFINITY,
): number {
  const least = Math.ceil(totalSamples / MOST_CHUNKS);
  const most = Math.max(least, MOST_INPUTS * Math.max(1, fewest));
  return Math.min(most, timedSize(totalSamples, hosts, least));
}

function timedSize(totalSamples: number, hosts: readonly HostSpeed[], least: number): number {
  if (hosts.length === 0) return Math.max(UNMEASURED_CHUNK, least);
  const speeds = hosts.map(({ samplesPerSecond }) => samplesPerSecond);
  const mean = speeds.reduce((sum, speed) => sum + speed, 0) / hosts.length;
  const long = Math.min(mean * CHUNK_SECONDS, Math.min(...speeds) * LONGEST_CHUNK_SECONDS);
  const turns = Math.max(CHUNKS_PER_HOST, Math.ceil(totalSamples / (long * hosts.length)));
  // Below a quarter of a second the queue's own cost would show.
  const size = Math.max(1, least, totalSamples / (hosts.length * turns), mean / 4);
  const rows = Math.max(1, Math.min(...hosts.map((host) => host.rows)));
  return Math.ceil(size / rows) * rows;
}

/**
 * How many chunks of one job may be in the queue and in the hands of hosts at a time: all that its pool can hold, and two
 * that wait, so that no host looks into an empty queue before the next chunk is made. It bounds what a job keeps in Redis,
 * and what its cancellation has to take away.
 */
export function chunkWindow(hosts: number): number {
  return CHUNKS_PER_HOST * Math.max(1, hosts) + 2;
}
