import type { DeviceKind } from '../engines/compute-target.ts';
import type { Classifier } from '../engines/classifier.ts';
import { DomainError } from '../errors.ts';

/** What a batch may grow to. */
interface Limits {
  readonly rows: number;
  /** float32 values of one batch. */
  readonly values: number;
}

/**
 * On CPUs the measured optimum lies between 8 rows (ImageNet-size nets) and 128 (small nets), and lanes share memory: 64
 * MiB. GPUs want thousands of rows of a small image and hundreds of a large one: 512 MiB.
 */
const LIMITS: Readonly<Record<DeviceKind, Limits>> = {
  cpu: { rows: 256, values: 1 << 24 },
  cuda: { rows: 16_384, values: 1 << 27 },
  webgpu: { rows: 16_384, values: 1 << 27 },
};
/** Each candidate is tried this often, after one call that warms it up; the fastest trial counts, since other work on
 * the machine only ever slows one down. */
const TRIALS = 3;
const TRIAL_MILLISECONDS = 25;
/** One call as long as this is trial enough: what disturbs it is small beside it. */
const LONG_MILLISECONDS = 250;
/** Of the sizes this close to the fastest the largest is taken: it spares the cost of calls outside the network. */
const AS_GOOD = 0.98;
/** A batch takes no longer than this where a smaller one will do, since an abort waits for it. */
const BATCH_MILLISECONDS = 100;
/** Growing further is pointless after so many doublings in a row that gave nothing that would be chosen ... */
const VAIN_DOUBLINGS = 4;
/** ... of which each counts twice whose speed has fallen this far below the best. One alone may be other work's doing. */
const HOPELESS = 0.7;
/** No candidate is begun that would end later than this, by twice the time of the one before; the first is in any case. */
const BUDGET_MILLISECONDS = 16_000;

/** Of a size that failed so much is taken at most: two lanes share the memory, and each needs room beside its batch. */
const SHARE = 1 / 4;

/** Whether the scores are what is wrong, not the size. */
function isOfTheModel(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'model_output_invalid';
}

export interface MeasuredBatch {
  readonly batchSize: number;
  readonly samplesPerSecond: number;
}

/**
 * Measures which batch size classifies most rows a second in this classifier on this machine, right now. A size that fails
 * where smaller ones worked is too large for the device's memory: the best of those that leave room for a second lane is
 * taken.
 *
 * @param elements values of one row
 * @param clock milliseconds
 * @throws whatever the classifier throws for the smallest size, and DomainError `model_output_invalid` for any
 */
export async function measureBatchSize(
  classifier: Classifier,
  elements: number,
  clock: () => number,
  device: DeviceKind = 'cpu',
): Promise<MeasuredBatch> {
  const begun = clock();
  const measured: MeasuredBatch[] = [];
  let fastest = 0;
  let vain = 0;
  let failed: number | null = null;
  for (const batchSize of candidates(classifier, elements, LIMITS[device])) {
    const start = clock();
    // Where a larger batch would round a row's scores otherwise, the votes would depend on what was measured.
    if (classifier.fixedBatch === null && measured.length > 0 && !(await agrees(classifier, batchSize)))
      break;
    const samplesPerSecond = await measure(classifier, batchSize, elements, clock).catch((error: unknown) => {
      if (measured.length === 0 || isOfTheModel(error)) throw error;
      failed = batchSize;
      return null;
    });
    if (samplesPerSecond === null) break;
    measured.push({ batchSize, samplesPerSecond });
    const paid = pays({ batchSize, samplesPerSecond }, fastest);
    fastest = Math.max(fastest, samplesPerSecond);
    if (paid) vain = 0;
    else vain += samplesPerSecond < fastest * HOPELESS ? 2 : 1;
    if (vain >= VAIN_DOUBLINGS) break;
    if (clock() - begun + 2 * (clock() - start) > BUDGET_MILLISECONDS) break;
  }
  if (failed === null) return choose(measured);
  const best = choose(measured.filter(({ batchSize }) => batchSize === 1 || batchSize <= failed! * SHARE));
  // What failed may have taken the device with it.
  await callOnce(classifier, best.batchSize, elements);
  return best;
}

/** Powers of two within the limits, or the only size that a model of one batch size has. */
function candidates({ fixedBatch }: Classifier, elements: number, { rows, values }: Limits): number[] {
  if (fixedBatch !== null) return [fixedBatch];
  const most = Math.max(1, Math.min(rows, values / elements));
  return Array.from({ length: Math.floor(Math.log2(most)) + 1 }, (_, power) => 2 ** power);
}

/** Whether a batch of so many rows rounds as small ones do; one that fails is measured all the same, and fails there. */
function agrees(classifier: Classifier, batchSize: number): Promise<boolean> {
  return classifier.agrees(batchSize).catch(() => true);
}

/** Rows a second with this batch size. */
async function measure(
  classifier: Classifier,
  batchSize: number,
  elements: number,
  clock: () => number,
): Promise<number> {
  const batch = new Float32Array(batchSize * elements).fill(0.5);
  const classes = new Int32Array(batchSize);
  const first = clock();
  await classifier.classify(batch, batchSize, classes);
  // On a busy machine even the first call may be the least disturbed one.
  let best = (1000 * batchSize) / (clock() - first);
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const start = clock();
    let calls = 0;
    do {
      await classifier.classify(batch, batchSize, classes);
      calls += 1;
    } while (clock() - start < TRIAL_MILLISECONDS);
    const elapsed = clock() - start;
    best = Math.max(best, (1000 * calls * batchSize) / elapsed);
    if (elapsed >= LONG_MILLISECONDS) break;
  }
  return best;
}

async function callOnce(classifier: Classifier, rows: number, elements: number): Promise<void> {
  await classifier.classify(new Float32Array(rows * elements).fill(0.5), rows, new Int32Array(rows));
}

function isShort({ batchSize, samplesPerSecond }: MeasuredBatch): boolean {
  return (1000 * batchSize) / samplesPerSecond <= BATCH_MILLISECONDS;
}

/** Whether a size may be chosen over those before it. */
function pays(size: MeasuredBatch, fastest: number): boolean {
  const ratio = size.samplesPerSecond / fastest;
  return ratio > 1 / AS_GOOD || (ratio >= AS_GOOD && isShort(size));
}

function choose(measured: readonly MeasuredBatch[]): MeasuredBatch {
  const fastest = Math.max(...measured.map(({ samplesPerSecond }) => samplesPerSecond));
  const good = measured.filter(({ samplesPerSecond }) => samplesPerSecond >= fastest * AS_GOOD);
  return good.findLast(isShort) ?? good[0]!;
}
