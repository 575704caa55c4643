import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Device } from '../devices/device.ts';
import type { EngineDescription } from '../engines/engine.ts';
import type { MeasuredBatch } from './batch-size.ts';

/** What was measured of a model in an engine, earlier. */
export interface RememberedBatch extends MeasuredBatch {
  readonly engine: EngineDescription;
}

/**
 * Batch sizes that were measured on a device, over the lives of processes. It is advice: it may forget anything, and votes are
 * the same with any size (`Classifier.agrees` is asked again). A method never rejects.
 */
export interface BatchMemory {
  /** What is known of a model, by its digest. */
  recall(modelDigest: string): Promise<readonly RememberedBatch[]>;
  remember(modelDigest: string, batch: RememberedBatch): Promise<void>;
}

export const FORGETFUL: BatchMemory = { recall: async () => [], remember: async () => undefined };

/** A measurement on a busy machine is not kept for ever. */
const KEPT_MILLISECONDS = 7 * 24 * 60 * 60 * 1000;
const ENTRIES_MOST = 500;

interface Entry extends RememberedBatch {
  readonly model: string;
  /** Name, driver and number of lanes of the device: what another machine with the same folder may have otherwise. */
  readonly device: string;
  readonly at: number;
}

/** Keeps batch sizes in a JSON file of a folder, which processes share: of two that write at once, one is forgotten. */
export function openBatchMemory(
  folder: string,
  { name, driver, lanes }: Device,
  now = Date.now,
): BatchMemory {
  const path = join(folder, 'batch-sizes.json');
  const device = `${name}, ${driver ?? 'no driver'}, ${lanes} lanes`;
  let last: Promise<void> = Promise.resolve();

  async function read(): Promise<Entry[]> {
    try {
      const value: unknown = JSON.parse(await readFile(path, 'utf8'));
      return Array.isArray(value)
        ? value.filter(isEntry).filter(({ at }) => Math.abs(now() - at) < KEPT_MILLISECONDS)
        : [];
    } catch {
      // It is not there, or not what was written: nothing is known.
      return [];
    }
  }

  async function add(model: string, { engine, batchSize, samplesPerSecond }: RememberedBatch): Promise<void> {
    const entry: Entry = { model, device, engine, batchSize, samplesPerSecond, at: now() };
    const isSame = (each: Entry): boolean =>
      each.model === model && each.device === device && isDeepStrictEqual(each.engine, engine);
    const entries = (await read()).filter((each) => !isSame(each));
    await mkdir(folder, { recursive: true });
    const written = `${path}.${process.pid}`;
    await writeFile(written, JSON.stringify([...entries, entry].slice(-ENTRIES_MOST)));
    await rename(written, path);
  }

  return {
    recall: async (model) => (await read()).filter((each) => each.model === model && each.device === device),
    remember(model, batch) {
      // A full disk, or a folder that may not be written, costs a measurement at the next start.
      last = last.then(() => add(model, batch)).catch(() => undefined);
      return last;
    },
  };
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { model, device, engine, batchSize, samplesPerSecond, at } = value as Record<string, unknown>;
  return (
    typeof model === 'string' &&
    typeof device === 'string' &&
    typeof engine === 'object' &&
    engine !== null &&
    Number.isInteger(batchSize) &&
    Number(batchSize) >= 1 &&
    Number.isFinite(samplesPerSecond) &&
    Number(samplesPerSecond) > 0 &&
    Number.isFinite(at)
  );
}
