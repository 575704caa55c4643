import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RegisteredModel } from '../../../src/models/store.ts';
import type { LaneFunctions, LaneOutcome, LaneTask, Segment, Work } from '../../../src/host/protocol.ts';
import { createWorkQueue, type WorkQueue } from '../../../src/host/work-queue.ts';
import { gaussianLaw } from '../../../src/random/noise-law.ts';

const MODEL = { digest: 'a'.repeat(64) } as RegisteredModel;
const CLASSES = 3;

interface Pending {
  readonly lane: number;
  readonly task: LaneTask;
  settle(outcome: LaneOutcome): void;
}

/** Lanes in this process whose tasks wait until the test answers them. */
function lanes(count: number) {
  const pending: Pending[] = [];
  const dealt: LaneTask[] = [];
  const events: string[] = [];
  const each = (lane: number): Pick<LaneFunctions, 'begin' | 'run' | 'end'> => ({
    begin: ({ id }) => void events.push(`begin ${id} ${lane}`),
    end: (id) => void events.push(`end ${id} ${lane}`),
    run(task) {
      dealt.push(task);
      return new Promise((settle) => pending.push({ lane, task, settle }));
    },
  });
  type Lanes = Parameters<typeof createWorkQueue>[0];
  return {
    all: Array.from({ length: count }, (_, lane) => each(lane)) as unknown as Lanes,
    pending,
    dealt,
    events,
  };
}

/** What a lane answers: sample i votes for class i mod 3. */
function votesOf({ segments }: LaneTask): LaneOutcome {
  const votes = segments.map(({ segment, firstSample, count }) => {
    const counts = new Uint32Array(CLASSES);
    for (let i = 0; i < count; i += 1) counts[(firstSample + i) % CLASSES]! += 1;
    return [segment, counts] as const;
  });
  const samples = segments.reduce((sum, { count }) => sum + count, 0);
  return { kind: 'sampled', votes, samples, timings: { noise: 1, inference: 2, counting: 3 } };
}

function work(id: string, counts: readonly number[]): Work {
  const segments = counts.map<Segment>((count, input) => ({
    input,
    purpose: 'estimation',
    firstSample: 10 * input,
    count,
  }));
  return { id, model: MODEL, noise: gaussianLaw(0.5), inputs: [], segments };
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Answers waiting tasks, the one that `choose` picks each time, until none waits. */
async function answerAll(pending: Pending[], choose: () => number = () => 0): Promise<void> {
  while (pending.length > 0) {
    const [{ task, settle }] = pending.splice(choose() % pending.length, 1) as [Pending];
    settle(votesOf(task));
    await settled();
  }
}

describe('the work queue', () => {
  it('deals every sample out once and adds all votes up, in whatever order the lanes answer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 4 }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.infiniteStream(fc.nat()),
        async (laneCount, taskRows, works, order) => {
          const { all, pending } = lanes(laneCount);
          const progress = new Map<string, number>();
          const queue = createWorkQueue(all, (id, samples) =>
            progress.set(id, (progress.get(id) ?? 0) + samples),
          );
          const outcomes = works.map((counts, index) => queue.add(work(`${index}`, counts), taskRows));
          await answerAll(pending, () => order.next().value);
          for (const [index, counts] of works.entries()) {
            const outcome = await outcomes[index]!;
            const expected = counts.map((count, input) =>
              [0, 1, 2].map(
                (each) =>
                  Array.from({ length: count }, (_, i) => 10 * input + i).filter((i) => i % 3 === each)
                    .length,
              ),
            );
            expect(outcome).toMatchObject({ kind: 'sampled', votes: expected });
            expect(progress.get(`${index}`)).toBe(counts.reduce((sum, count) => sum + count, 0));
          }
          expect(queue.uses(MODEL.digest)).toBe(false);
        },
      ),
      { seed: 1, numRuns: 100 },
    );
  });

  it('gives each lane a task to do and one to wait, the idle lanes first', () => {
    const { all, pending } = lanes(3);
    void createWorkQueue(all, () => undefined).add(work('a', [1_000]), 10);
    expect(pending.map(({ lane }) => lane)).toEqual([0, 1, 2, 0, 1, 2]);
    expect(pending.map(({ task }) => task.segments[0]!.firstSample)).toEqual([0, 10, 20, 30, 40, 50]);
  });

  it('takes work up in the order in which it came, and starts the next before the last is done', async () => {
    const { all, pending, dealt } = lanes(1);
    const queue = createWorkQueue(all, () => undefined);
    void queue.add(work('a', [10]), 10);
    void queue.add(work('b', [10]), 10);
    void queue.add(work('c', [10]), 10);
    expect(pending.map(({ task }) => task.workId)).toEqual(['a', 'b']);
    await answerAll(pending);
    expect(dealt.map(({ workId }) => workId)).toEqual(['a', 'b', 'c']);
  });

  it('lets a task span segments, cut at the task size', () => {
    const { all, pending } = lanes(1);
    void createWorkQueue(all, () => undefined).add(work('a', [3, 4, 5]), 8);
    expect(pending[0]!.task.segments.map(({ segment, count }) => [segment, count])).toEqual([
      [0, 3],
      [1, 4],
      [2, 1],
    ]);
    expect(pending[1]!.task.segments).toEqual([
      { input: 2, purpose: 'estimation', firstSample: 21, count: 4, segment: 2 },
    ]);
  });

  it('adds the timings of all tasks up', async () => {
    const { all, pending } = lanes(2);
    const outcome = createWorkQueue(all, () => undefined).add(work('a', [40]), 10);
    await answerAll(pending);
    expect(await outcome).toMatchObject({ timings: { noise: 4, inference: 8, counting: 12 } });
  });

  it('ends work without segments at once', async () => {
    const { all, events } = lanes(1);
    const queue = createWorkQueue(all, () => undefined);
    expect(await queue.add(work('a', []), 10)).toMatchObject({ kind: 'sampled', votes: [] });
    expect(events).toEqual(['begin a 0', 'end a 0']);
    expect(queue.uses(MODEL.digest)).toBe(false);
  });

  it('tells each lane of the work before its first task and after its last', async () => {
    const { all, pending, events } = lanes(2);
    const outcome = createWorkQueue(all, () => undefined).add(work('a', [40]), 10);
    expect(events).toEqual(['begin a 0', 'begin a 1']);
    await answerAll(pending);
    await outcome;
    expect(events.slice(2)).toEqual(['end a 0', 'end a 1']);
  });
});

describe('work that ends early', () => {
  function start(): { queue: WorkQueue; progress: string[] } & ReturnType<typeof lanes> {
    const made = lanes(2);
    const progress: string[] = [];
    const queue = createWorkQueue(made.all, (id, samples) => progress.push(`${id} ${samples}`));
    return { queue, progress, ...made };
  }

  it('is aborted: lanes are told at once, no further task is dealt, late votes do not count', async () => {
    const { queue, progress, pending, dealt, events } = start();
    const outcome = queue.add(work('a', [1_000]), 10);
    queue.abort('a');
    expect(events.slice(2)).toEqual(['end a 0', 'end a 1']);
    expect(queue.uses(MODEL.digest)).toBe(true);
    pending.shift()!.settle({ kind: 'aborted' });
    await answerAll(pending);
    expect(await outcome).toEqual({ kind: 'aborted' });
    expect(dealt).toHaveLength(4);
    expect(progress).toEqual([]);
    expect(queue.uses(MODEL.digest)).toBe(false);
  });

  it('is aborted at once while it waits behind other work, which goes on', async () => {
    const { queue, pending } = start();
    const first = queue.add(work('a', [100]), 10);
    const second = queue.add(work('b', [100]), 10);
    queue.abort('b');
    expect(await second).toEqual({ kind: 'aborted' });
    await answerAll(pending);
    expect(await first).toMatchObject({ kind: 'sampled' });
  });

  it('fails with the first failure, and the next work goes on', async () => {
    const { queue, progress, pending } = start();
    const failing = queue.add(work('a', [1_000]), 10);
    const next = queue.add(work('b', [50]), 10);
    const failure = { kind: 'failed', code: 'model_output_invalid', detail: 'NaN' } as const;
    pending.shift()!.settle(failure);
    pending.shift()!.settle({ kind: 'failed', code: 'sampling_failed', detail: 'later' });
    await settled();
    await answerAll(pending);
    expect(await failing).toEqual(failure);
    expect(await next).toMatchObject({ kind: 'sampled' });
    expect(progress.every((line) => line.startsWith('b '))).toBe(true);
  });

  it('ignores an abort of work that it does not have', async () => {
    const { queue, pending } = start();
    queue.abort('nobody');
    const outcome = queue.add(work('a', [10]), 10);
    queue.abort('nobody');
    await answerAll(pending);
    expect(await outcome).toMatchObject({ kind: 'sampled' });
    queue.abort('a');
  });
});
