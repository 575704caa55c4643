import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { Device, DeviceTools } from '../../../src/devices/device.ts';
import { discoverDevices } from '../../../src/devices/discover.ts';
import { readTelemetry } from '../../../src/devices/telemetry.ts';
import { untilGone } from '../../support/processes.ts';
import { replayNvidiaSmi, toolsIn } from '../../support/recorded-nvidia-smi.ts';
import { writeProgram } from '../../support/search-path.ts';
import { useTemporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

const directory = useTemporaryDirectory();
let machines = 0;

async function machine(recording: string): Promise<DeviceTools> {
  machines += 1;
  return replayNvidiaSmi(directory(`machine-${machines}`), recording);
}

async function machineWith(script: string): Promise<DeviceTools> {
  machines += 1;
  await writeProgram(directory(`machine-${machines}`), 'nvidia-smi', script);
  return toolsIn(directory(`machine-${machines}`));
}

const NOTHING = {
  memoryUsedBytes: null,
  memoryTotalBytes: null,
  temperatureCelsius: null,
  utilisation: null,
  powerWatts: null,
};
const MIB = 1024 * 1024;

const gpu = (id: string): Device => ({
  id,
  name: id,
  kind: 'cuda',
  lanes: 2,
  driver: null,
});
const H100 = gpu('GPU-00000000-0000-0000-0000-000000000000');
const [WELL, BROKEN, ALSO_WELL] = [
  gpu('GPU-e1924eea-b9bb-d537-39f2-b345087fa145'),
  gpu('GPU-899c71bf-27be-b6a0-ae8f-d8afe5ba0f85'),
  gpu('GPU-acd314e9-4c7a-4824-eb0f-b6e38b1ec38c'),
];

describe('telemetry', () => {
  test('of a GPU under load is what nvidia-smi prints of it', async () => {
    expect(await readTelemetry([H100], await machine('h100'))).toEqual([
      {
        id: H100.id,
        memoryUsedBytes: 19_818 * MIB,
        memoryTotalBytes: 81_559 * MIB,
        temperatureCelsius: 59,
        utilisation: 1,
        powerWatts: 631.95,
        health: 'ok',
        reason: null,
      },
    ]);
  });

  test('of a MIG slice is the temperature of its GPU: the rest is of all slices together', async () => {
    const tools = await machine('h100-mig');
    const slices = await discoverDevices({ kind: 'auto' }, null, tools);
    const telemetry = await readTelemetry(slices, tools);
    expect(telemetry).toEqual(
      slices.map(({ id }) => ({ id, ...NOTHING, temperatureCelsius: 53, health: 'ok', reason: null })),
    );
  });

  test('is null where a GPU lacks a value, which is no fault of it', async () => {
    const id = 'GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
    expect(await readTelemetry([gpu(id)], await machine('gb10'))).toEqual([
      {
        id,
        ...NOTHING,
        temperatureCelsius: 35,
        utilisation: 0,
        powerWatts: 11.17,
        health: 'ok',
        reason: null,
      },
    ]);
  });

  test('of the CPU is the memory of the machine, and WebGPU tells nothing; neither asks nvidia-smi', async () => {
    const tools = await machineWith('exit 1');
    const [cpu] = await discoverDevices({ kind: 'cpu' }, null, tools);
    const webgpu = { ...cpu!, id: 'webgpu', kind: 'webgpu' } as const;
    const [ofCpu, ofWebgpu] = await readTelemetry([cpu!, webgpu], tools);
    expect(ofCpu).toMatchObject({ id: 'cpu', memoryTotalBytes: totalmem(), health: 'ok', reason: null });
    expect(ofCpu!.memoryUsedBytes).toBeGreaterThan(0);
    expect(ofCpu!.memoryUsedBytes).toBeLessThan(totalmem());
    expect(ofWebgpu).toEqual({
      id: 'webgpu',
      ...NOTHING,
      health: 'unknown',
      reason: 'WebGPU tells nothing of its device',
    });
  });
});

describe('a GPU', () => {
  test('that is broken is lost, and those beside it are well', async () => {
    const telemetry = await readTelemetry([WELL, BROKEN, ALSO_WELL], await machine('one-of-three-broken'));
    expect(telemetry.map(({ health }) => health)).toEqual(['ok', 'lost', 'ok']);
    expect(telemetry[1]).toEqual({
      id: BROKEN.id,
      ...NOTHING,
      health: 'lost',
      reason: expect.stringContaining(
        'Unable to determine the device handle for GPU0000:17:00.0: Unknown Error',
      ) as string,
    });
  });

  test('that is the only one and fell off the bus is lost', async () => {
    expect(await readTelemetry([H100], await machine('gpu-lost'))).toMatchObject([
      { health: 'lost', reason: expect.stringContaining('GPU is lost') as string },
    ]);
  });

  test('is not taken for lost where the complaint may be about another one', async () => {
    const telemetry = await readTelemetry([WELL, ALSO_WELL], await machine('gpu-lost'));
    expect(telemetry.map(({ health }) => health)).toEqual(['unknown', 'unknown']);
  });

  test.each(['no-devices', 'l40s'])('that is no longer listed is lost: %s', async (recording) => {
    expect(await readTelemetry([WELL], await machine(recording))).toMatchObject([{ health: 'lost' }]);
  });

  test('of which values cannot be read is degraded, and of which all is lost is lost', async () => {
    const rows = [
      `${WELL.id}, 6, 49140, [Unknown Error], [Insufficient Permissions], 25.02, [N/A]`,
      `${BROKEN.id}, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [N/A]`,
    ];
    const tools = await machineWith(rows.map((row) => `echo '${row}'`).join('\n'));
    expect(await readTelemetry([WELL, BROKEN], tools)).toMatchObject([
      { memoryUsedBytes: 6 * MIB, health: 'degraded', reason: 'temperature.gpu: [Unknown Error]' },
      { memoryUsedBytes: null, health: 'lost' },
    ]);
  });

  test('with memory errors that could not be corrected is degraded', async () => {
    const tools = await machineWith(`echo '${H100.id}, 6, 81559, 40, 0, 70.10, 2'`);
    expect(await readTelemetry([H100], tools)).toMatchObject([
      { temperatureCelsius: 40, health: 'degraded', reason: '2 memory errors could not be corrected' },
    ]);
  });
});

describe('without an answer of nvidia-smi', () => {
  const unknown = (reason: string) => [{ id: H100.id, ...NOTHING, health: 'unknown', reason }];

  test('nothing is known, and the reason is told', async () => {
    const tools = await machine('driver-mismatch');
    expect(await readTelemetry([H100], tools)).toEqual(
      unknown(
        `${tools.searchPath}/nvidia-smi ended with status 18 and said: Failed to initialize NVML: Driver/library version mismatch NVML library version: 570.124`,
      ),
    );
    expect(await readTelemetry([H100], toolsIn(directory('nothing')))).toEqual(
      unknown('no nvidia-smi is on the PATH'),
    );
  });

  test('a line that is not understood makes no GPU lost', async () => {
    const tools = await machineWith(`echo '${H100.id}, six, 81559, 40, 0, 70.10, 2'`);
    expect(await readTelemetry([H100], tools)).toEqual(
      unknown(`nvidia-smi printed an unexpected line: "${H100.id}, six, 81559, 40, 0, 70.10, 2"`),
    );
  });

  test('a call that hung is ended, and a later one answers again', async () => {
    const marker = directory('hung');
    const row = `${H100.id}, 6, 81559, 40, 0, 70.10, 0`;
    const script = `if [ -e '${marker}' ]; then echo '${row}'; else echo $$ > '${marker}'; exec sleep 60; fi`;
    const tools = await machineWith(script);
    const [hung] = await readTelemetry([H100], { ...tools, timeoutMilliseconds: 500 });
    expect(hung!.reason).toMatch(/gave no answer within 0.5 s$/);
    await until(async () => (await readTelemetry([H100], tools))[0]!.health === 'ok', { what: 'an answer' });
    await untilGone(Number(await readFile(marker, 'utf8')));
  });

  test('the time limit is kept', async () => {
    const tools = { ...(await machineWith('exec sleep 60')), timeoutMilliseconds: 200 };
    expect(await readTelemetry([H100], tools)).toEqual(
      unknown(`${tools.searchPath}/nvidia-smi gave no answer within 0.2 s`),
    );
  });
});
