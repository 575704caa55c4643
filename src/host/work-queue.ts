import type { BirpcReturn } from 'birpc';
import { cutSegments } from './cut-segments.ts';
import type { LaneFunctions, LaneTask, Work, WorkOutcome } from './protocol.ts';

type Lane = Pick<BirpcReturn<LaneFunctions>, 'begin' | 'run' | 'end'>;

/** Tasks a lane holds: one that it works on and one that waits, so that no lane idles for a message's journey. */
const TASKS_PER_LANE = 2;

/** Where dealing out a piece of work has got to. */
interface Progress {
  readonly work: Work;
  /** Tasks after the upcoming one. */
  readonly later: Iterator<LaneTask['segments'], undefined>;
  /** The next task to deal out, null when none is left. */
  upcoming: LaneTask['segments'] | null;
  underWay: number;
  readonly votes: number[][];
  readonly timings: { noise: number; inference: number; counting: number };
  end: WorkOutcome | null;
  readonly settle: (outcome: WorkOutcome) => void;
}

export interface WorkQueue {
  /**
   * Deals `work` out in tasks of `taskRows` samples, after the work that came before; resolves when all is counted.
   *
   * @param batch of which samples stand at fixed places: no task ends within one, but where its segment does
   */
  add(work: Work, taskRows: number, batch?: number): Promise<WorkOutcome>;
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
    entry.upcoming = null;
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
    if (entry.underWay === 0 && entry.upcoming === null && queue.includes(entry)) finish(entry);
    pump();
  }

  function pump(): void {
    for (let held = 0; held < TASKS_PER_LANE; held += 1) {
      for (const lane of lanes.keys()) {
        if (load[lane]! > held) continue;
        const entry = queue.find((each) => each.upcoming !== null);
        if (entry === undefined) return;
        void run(lane, entry, takeTask(entry));
      }
    }
  }

  return {
    add: (work, taskRows, batch) =>
      new Promise((settle) => {
        const timings = { noise: 0, inference: 0, counting: 0 };
        const { id, noise, inputs, model } = work;
        for (const lane of lanes) void lane.begin({ id, noise, inputs, modelDigest: model.digest });
        const segments = work.segments.map((each, segment) => ({ ...each, segment }));
        const later = cutSegments(segments, taskRows, batch);
        const upcoming = later.next().value ?? null;
        const entry: Progress = { work, later, upcoming, underWay: 0, votes: [], timings, end: null, settle };
        queue.push(entry);
        if (upcoming === null) finish(entry);
        else pump();
      }),
    abort(workId) {
      const entry = queue.find((each) => each.work.id === workId);
      if (entry !== undefined) stop(entry, { kind: 'aborted' });
    },
    uses: (digest) => queue.some((entry) => entry.work.model.digest === digest),
  };
}

/** Takes the upcoming task of a piece of work that has one. */
function takeTask(entry: Progress): LaneTask {
  const segments = entry.upcoming ?? [];
  entry.upcoming = entry.later.next().value ?? null;
  return { workId: entry.work.id, segments };
}
