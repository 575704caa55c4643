import type { EngineSession } from '../../inference/engine.ts';

/** Batch sizes that are tried; the measured optimum on CPUs lies between 8 (ImageNet-size nets) and 128 (small nets). */
const CANDIDATES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/** Values of one batch at most: 64 MiB of float32. */
const MAX_VALUES = 1 << 24;
/** Each candidate is tried this often, after one call that warms it up; the fastest trial counts, since other work on
 * the machine only ever slows one down. */
const TRIALS = 3;
const TRIAL_MILLISECONDS = 25;
/** Of the sizes this close to the fastest the largest is taken: it spares the cost of calls outside the network. */
const AS_GOOD = 0.98;
/** A batch takes no longer than this where a smaller one will do, since an abort waits for it. */
const BATCH_MILLISECONDS = 100;
/** Growing further is pointless once speed has fallen this far below the best. */
const HOPELESS = 0.7;

export interface MeasuredBatch {
  readonly batchSize: number;
  readonly samplesPerSecond: number;
}

/** Measures which batch size classifies most rows a second in this session on this machine, right now. */
export async function measureBatchSize(
  session: EngineSession,
  elements: number,
  clock: () => number,
): Promise<MeasuredBatch> {
  const sizes =
    session.fixedBatch === null
      ? CANDIDATES.filter((size) => size === 1 || size * elements <= MAX_VALUES)
      : [session.fixedBatch];
  const batch = new Float32Array(sizes.at(-1)! * elements).fill(0.5);
  const classes = new Int32Array(sizes.at(-1)!);
  const measured: MeasuredBatch[] = [];
  let fastest = 0;
  for (const batchSize of sizes) {
    await session.classify(batch, batchSize, classes);
    let samplesPerSecond = 0;
    for (let trial = 0; trial < TRIALS; trial += 1) {
      const start = clock();
      let calls = 0;
      do {
        await session.classify(batch, batchSize, classes);
        calls += 1;
      } while (clock() - start < TRIAL_MILLISECONDS);
      samplesPerSecond = Math.max(samplesPerSecond, (1000 * calls * batchSize) / (clock() - start));
    }
    measured.push({ batchSize, samplesPerSecond });
    fastest = Math.max(fastest, samplesPerSecond);
    if (samplesPerSecond < fastest * HOPELESS) break;
  }
  const short = ({ batchSize, samplesPerSecond }: MeasuredBatch): boolean =>
    (1000 * batchSize) / samplesPerSecond <= BATCH_MILLISECONDS;
  const good = measured.filter(({ samplesPerSecond }) => samplesPerSecond >= fastest * AS_GOOD);
  return good.findLast(short) ?? good[0]!;
}
