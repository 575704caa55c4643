import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Chunk, type InputDraws, planOf } from '../../../src/jobs/plan.ts';
import { type ChunkVotes, gatherVotes } from '../../../src/smoothing/evidence.ts';
import { planRound } from '../../support/plan-round.ts';
import { describeLaw } from '../../../src/random/noise-law.ts';
import { sparseVotes } from '../../../src/smoothing/votes.ts';
import { NOISE } from '../../support/worker-status.ts';

const CLASSES = 4;
const ENGINE = { name: 'onnxruntime-node', version: '1.30.0', provider: 'cpu', precision: 'fp32' } as const;
const DEVICE = { name: 'CPU', batchSize: 64 };

function packChunks(asked: readonly InputDraws[], chunkSamples: number): Chunk[] {
  const plan = planOf([planRound(asked, chunkSamples)]);
  return Array.from({ length: plan.chunks }, (_, number) => plan.chunk(number));
}

/** Any fixed rule will do: the class of a sample. */
function classOf(input: number, purpose: string, sample: number): number {
  return (7 * input + 3 * purpose.length + sample * sample) % CLASSES;
}

function votesOf(chunk: Chunk, others: Partial<ChunkVotes> = {}): { chunk: Chunk; votes: ChunkVotes } {
  const segments = chunk.map(({ input, purpose, firstSample, count }) => {
    const counts = Array.from<number>({ length: CLASSES }).fill(0);
    for (let i = 0; i < count; i += 1) counts[classOf(input, purpose, firstSample + i)]! += 1;
    return sparseVotes(counts);
  });
  return {
    chunk,
    votes: { segments, classes: CLASSES, engine: ENGINE, noise: NOISE, device: DEVICE, ...others },
  };
}

const ASKED = [0, 1, 2].map((input) => ({
  input,
  draws: [
    { purpose: 'selection', firstSample: 0, count: 40 },
    { purpose: 'estimation', firstSample: 0, count: 300 },
  ] as const,
}));

describe('gatherVotes', () => {
  it('gives the same tally however the draws were cut and in whatever order the chunks come', () => {
    const whole = packChunks(ASKED, 1_000_000).map((chunk) => votesOf(chunk));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 700 }),
        fc.infiniteStream(fc.nat()),
        fc.constantFrom(0, 1, 2),
        (size, order, input) => {
          const chunks = packChunks(ASKED, size).map((chunk) => ({ key: order.next().value, chunk }));
          const shuffled = chunks.toSorted((a, b) => a.key - b.key).map(({ chunk }) => votesOf(chunk));
          expect(gatherVotes(input, NOISE, shuffled).tally).toEqual(gatherVotes(input, NOISE, whole).tally);
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  it('counts the votes of the one input, by purpose', () => {
    const [chunk] = packChunks(ASKED, 1_000_000);
    const { tally, engine, devices } = gatherVotes(1, NOISE, [votesOf(chunk!)]);
    for (const [purpose, count] of [
      ['selection', 40],
      ['estimation', 300],
    ] as const) {
      const expected = Array.from<number>({ length: CLASSES }).fill(0);
      for (let sample = 0; sample < count; sample += 1) expected[classOf(1, purpose, sample)]! += 1;
      expect(tally[purpose]).toEqual(expected);
    }
    expect(tally.prediction).toBeUndefined();
    expect(engine).toEqual(ENGINE);
    expect(devices).toEqual([{ ...DEVICE, samples: 340 }]);
  });

  it('names every device of the input once with its samples, one of another batch size as another', () => {
    const chunks = packChunks(ASKED, 100).filter((chunk) => chunk.some(({ input }) => input === 0));
    const devices = [DEVICE, { name: 'CPU', batchSize: 32 }, { name: 'GPU', batchSize: 64 }];
    const votes = chunks.map((chunk, index) => votesOf(chunk, { device: { ...devices[index % 3]! } }));
    const drawn = chunks.map((chunk) =>
      chunk.reduce((sum, { input, count }) => sum + (input === 0 ? count : 0), 0),
    );
    const expected = devices.map((device, index) => ({
      ...device,
      samples: drawn.reduce((sum, count, chunk) => sum + (chunk % 3 === index ? count : 0), 0),
    }));
    expect(expected.every(({ samples }) => samples > 0)).toBe(true);
    expect(gatherVotes(0, NOISE, votes).devices).toEqual(expected);
  });

  it('refuses votes of different engines: they are not of one base classifier', () => {
    const [first, second] = packChunks(ASKED, 600);
    for (const engine of [
      { ...ENGINE, version: '1.29.0' },
      { ...ENGINE, provider: 'cuda' },
      { ...ENGINE, name: 'tensorflow' },
      { ...ENGINE, precision: 'tf32' as const },
    ]) {
      const { name, version, provider, precision } = engine;
      const call = () => gatherVotes(0, NOISE, [votesOf(first!), votesOf(second!, { engine })]);
      expect(call).toThrow(
        `onnxruntime-node 1.30.0 on cpu (fp32) and ${name} ${version} on ${provider} (${precision})`,
      );
    }
  });

  it('refuses votes of other noise than the job asks for, also where all of them agree', () => {
    const [first, second] = packChunks(ASKED, 600);
    for (const other of [
      { ...NOISE, version: 2 },
      { ...NOISE, scheme: 'other' },
      { ...NOISE, distribution: 'uniform' },
      { ...NOISE, sigma: 0.25 },
    ]) {
      const [drawn, asked] = [describeLaw(other), describeLaw(NOISE)];
      for (const noise of [NOISE, other]) {
        const call = () =>
          gatherVotes(0, NOISE, [votesOf(first!, { noise }), votesOf(second!, { noise: other })]);
        expect(call).toThrow(`the votes come from ${drawn}, where the job asks for ${asked}`);
      }
    }
  });

  it('refuses votes for a class that there is none of', () => {
    const [chunk] = packChunks(ASKED, 1_000_000);
    const { votes } = votesOf(chunk!);
    const segments = votes.segments.with(0, { [CLASSES]: 40 });
    expect(() => gatherVotes(0, NOISE, [{ chunk: chunk!, votes: { ...votes, segments } }])).toThrow(
      `votes for class ${CLASSES} of ${CLASSES} classes`,
    );
  });

  it('refuses votes that are more or fewer than the samples of their segment, also where the total is right', () => {
    const [chunk] = packChunks(ASKED, 1_000_000);
    const { votes } = votesOf(chunk!);
    const segments = votes.segments.with(0, { 0: 41 }).with(1, { 0: 299 });
    expect(() => gatherVotes(0, NOISE, [{ chunk: chunk!, votes: { ...votes, segments } }])).toThrow(
      '41 votes for 40 selection samples of input 0',
    );
  });

  it('has nothing to say without chunks', () => {
    expect(gatherVotes(0, NOISE, [])).toEqual({ tally: {}, engine: null, devices: [] });
  });
});
