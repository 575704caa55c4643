import type { BirpcReturn } from 'birpc';
import type { LaneFunctions, LaneTask, Segment, Work, WorkOutcome } from './protocol.ts';

type Lane = Pick<BirpcReturn<LaneFunctions>, 'begin' | 'run' | 'end'>;

/** Tasks a lane holds: one that it works on and one that waits, so that no lane idles for a message's journey. */
const TASKS_PER_LANE = 2;

/** Where dealing out a piece of work has got to. */
interface Progress {
  readonly work: Work;
  readonly taskRows: number;
  segment: number;
  offset: number;
  underWay: number;
  readonly votes: number[][];
  readonly timings: { noise: number; inference: number; counting: number };
  end: WorkOutcome | null;
  readonly settle: (outcome: WorkOutcome) => void;
}

export interface WorkQueue {
  /** Deals `work` out in tasks of `taskRows` samples, after the work that came before; resolves when all is counted. */
  add(work: Work, taskRows: number): Promise<WorkOutcome>;
  abort(workId: string): void;
  /** Whether unfinished work needs the model. */
  uses(modelDigest: string): boolean;
}

/**
 * Deals work out to lanes in order of arrival; the next piece starts while the last tasks of the one before run. Each
 * sample is dealt out once, and votes count only when every task of the work has answered: a piece of work is all there
 * or it has failed.
 */
export function createWorkQueue(
  lanes: readonly Lane[],
  progress: (workId: string, samples: number) => void,
): WorkQueue {
  const queue: Progress[] = [];
  const load = lanes.map(() => 0);

  const finish = (entry: Progress): void => {
    queue.splice(queue.indexOf(entry), 1);
    for (const lane of lanes) void lane.end(entry.work.id);
    entry.settle(entry.end ?? { kind: 'sampled', votes: entry.votes, timings: entry.timings });
  };

  const stop = (entry: Progress, outcome: WorkOutcome): void => {
    entry.end ??= outcome;
    entry.segment = entry.work.segments.length;
    // Lanes drop the work now, so that tasks under way end after their batch.
    for (const lane of lanes) void lane.end(entry.work.id);
    if (entry.underWay === 0) finish(entry);
  };

  async function run(lane: number, entry: Progress, task: LaneTask): Promise<void> {
    entry.underWay += 1;
    load[lane]! += 1;
    const outcome = await lanes[lane]!.run(task);
    entry.underWay -= 1;
    load[lane]! -= 1;
    if (outcome.kind === 'sampled') {
      for (const [segment, votes] of outcome.votes) {
        const counts = (entry.votes[segment] ??= Array.from<number>({ length: votes.length }).fill(0));
        for (const [index, count] of votes.entries()) counts[index]! += count;
      }
      for (const name of ['noise', 'inference', 'counting'] as const)
        entry.timings[name] += outcome.timings[name];
      if (entry.end === null) progress(entry.work.id, outcome.samples);
    } else if (entry.end === null) {
      entry.end = outcome;
      stop(entry, outcome);
      pump();
      return;
    }
    if (entry.underWay === 0 && entry.segment >= entry.work.segments.length && queue.includes(entry))
      finish(entry);
    pump();
  }

  function pump(): void {
    for (let held = 0; held < TASKS_PER_LANE; held += 1) {
      for (const lane of lanes.keys()) {
        if (load[lane]! > held) continue;
        const entry = queue.find((each) => each.segment < each.work.segments.length);
        if (entry === undefined) return;
        void run(lane, entry, nextTask(entry));
      }
    }
  }

  return {
    add: (work, taskRows) =>
      new Promise((settle) => {
        const timings = { noise: 0, inference: 0, counting: 0 };
        const { id, sigma, inputs, model } = work;
        for (const lane of lanes) void lane.begin({ id, sigma, inputs, modelDigest: model.digest });
        const entry: Progress = {
          work,
          taskRows,
          segment: 0,
          offset: 0,
          underWay: 0,
          votes: [],
          timings,
          end: null,
          settle,
        };
        queue.push(entry);
        if (work.segments.length === 0) finish(entry);
        else pump();
      }),
    abort(workId) {
      const entry = queue.find((each) => each.work.id === workId);
      if (entry !== undefined) stop(entry, { kind: 'aborted' });
    },
    uses: (digest) => queue.some((entry) => entry.work.model.digest === digest),
  };
}

/** Cuts the next `taskRows` samples off a piece of work; they may span several segments. */
function nextTask(entry: Progress): LaneTask {
  const taken: (Segment & { segment: number })[] = [];
  let free = entry.taskRows;
  while (free > 0 && entry.segment < entry.work.segments.length) {
    const segment = entry.work.segments[entry.segment]!;
    const count = Math.min(free, segment.count - entry.offset);
    taken.push({
      ...segment,
      firstSample: segment.firstSample + entry.offset,
      count,
      segment: entry.segment,
    });
    free -= count;
    entry.offset += count;
    if (entry.offset === segment.count) {
      entry.segment += 1;
      entry.offset = 0;
    }
  }
  return { workId: entry.work.id, segments: taken };
}
