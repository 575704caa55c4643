import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EngineDescription } from '../../../src/engines/engine.ts';
import { openBatchMemory } from '../../../src/host/batch-memory.ts';
import { useTemporaryDirectory } from '../../support/temporary-directory.ts';

const at = useTemporaryDirectory();
const CPU = { id: 'cpu', name: 'CPU', kind: 'cpu', lanes: 2, driver: null } as const;
const ENGINE: EngineDescription = {
  name: 'onnxruntime-node',
  version: '1.30.0',
  provider: 'cpu',
  precision: 'fp32',
};
const BATCH = { engine: ENGINE, batchSize: 64, samplesPerSecond: 1_000 };

describe('a memory of batch sizes', () => {
  it('knows in another process what was measured, the last of each engine', async () => {
    const path = at('shared');
    await openBatchMemory(path, CPU).remember('a', BATCH);
    await openBatchMemory(path, CPU).remember('a', { ...BATCH, batchSize: 32 });
    const newer = { ...BATCH, engine: { ...ENGINE, version: '1.31.0' } };
    await openBatchMemory(path, CPU).remember('a', newer);
    await openBatchMemory(path, CPU).remember('b', BATCH);
    const found = await openBatchMemory(path, CPU).recall('a');
    expect(found).toMatchObject([{ ...BATCH, batchSize: 32 }, newer]);
  });

  it.each([
    ['another number of lanes', { ...CPU, lanes: 1 }],
    ['another device', { ...CPU, name: 'another CPU' }],
    ['another driver', { ...CPU, driver: '580.1' }],
  ])('says nothing of %s', async (_what, device) => {
    const path = at('devices');
    await openBatchMemory(path, CPU).remember('a', BATCH);
    expect(await openBatchMemory(path, device).recall('a')).toEqual([]);
  });

  it('forgets after a week what may have been measured on a busy machine', async () => {
    const path = at('old');
    const week = 7 * 24 * 3_600_000;
    await openBatchMemory(path, CPU, () => 1_000).remember('a', BATCH);
    expect(await openBatchMemory(path, CPU, () => 999 + week).recall('a')).toHaveLength(1);
    expect(await openBatchMemory(path, CPU, () => 1_000 + week).recall('a')).toEqual([]);
  });

  it('grows no further than 500 entries', async () => {
    const path = at('many');
    const memory = openBatchMemory(path, CPU);
    for (let model = 0; model < 510; model += 1) void memory.remember(`model ${model}`, BATCH);
    await memory.remember('last', BATCH);
    expect(JSON.parse(await readFile(join(path, 'batch-sizes.json'), 'utf8'))).toHaveLength(500);
    expect(await memory.recall('last')).toHaveLength(1);
    expect(await memory.recall('model 0')).toEqual([]);
  });

  it.each([
    '',
    '{',
    '{}',
    '[1,null,{"model":"a"}]',
    '[{"model":"a","device":"CPU, no driver, 2 lanes","engine":{},"batchSize":0,"samplesPerSecond":1,"at":1}]',
  ])('takes a file of %j for one that knows nothing', async (text) => {
    await mkdir(at('broken'), { recursive: true });
    await writeFile(at('broken', 'batch-sizes.json'), text);
    const memory = openBatchMemory(at('broken'), CPU, () => 1);
    expect(await memory.recall('a')).toEqual([]);
    await memory.remember('a', BATCH);
    expect(await memory.recall('a')).toHaveLength(1);
  });

  it('is silent where it cannot write', async () => {
    await mkdir(at('refusing'), { recursive: true });
    await writeFile(at('refusing', 'file'), '');
    const memory = openBatchMemory(at('refusing', 'file'), CPU);
    await memory.remember('a', BATCH);
    expect(await memory.recall('a')).toEqual([]);
  });
});
