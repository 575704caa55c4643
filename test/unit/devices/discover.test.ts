import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { DeviceTools } from '../../../src/devices/device.ts';
import { DomainError } from '../../../src/errors.ts';
import { type DeviceSelection, discoverDevices } from '../../../src/devices/discover.ts';
import { replayNvidiaSmi, toolsIn } from '../../support/recorded-nvidia-smi.ts';
import { writeProgram } from '../../support/search-path.ts';
import { useTemporaryDirectory } from '../../support/temporary-directory.ts';

const directory = useTemporaryDirectory();
let machines = 0;

/** A machine on which nvidia-smi prints that recording. */
async function machine(recording: string, visibleDevices: string | null = null): Promise<DeviceTools> {
  machines += 1;
  return { ...(await replayNvidiaSmi(directory(`machine-${machines}`), recording)), visibleDevices };
}

/** A machine with that shell script in the place of nvidia-smi. */
async function machineWith(script: string): Promise<DeviceTools> {
  machines += 1;
  const folder = directory(`machine-${machines}`);
  await writeProgram(folder, 'nvidia-smi', script);
  return toolsIn(folder);
}

const AUTO: DeviceSelection = { kind: 'auto' };
const named = (...ids: string[]): DeviceSelection => ({ kind: 'named', ids });

async function found(selection: DeviceSelection, tools: DeviceTools): Promise<[string, string][]> {
  const devices = await discoverDevices(selection, null, tools);
  return devices.map(({ name, id }) => [name, id]);
}

/** The faults of a selection that is refused, as `name: detail`. */
async function refusal(selection: DeviceSelection, tools: DeviceTools): Promise<string[]> {
  const error: unknown = await discoverDevices(selection, null, tools).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(DomainError);
  expect((error as DomainError).code).toBe('device_unavailable');
  return (error as DomainError).faults.map(({ pointer, detail }) => `${pointer}: ${detail}`);
}

const [A0, A1, A2, A3] = [
  'GPU-513536b6-7d19-9063-b049-1e69664bb298',
  'GPU-d8594bd4-0fc3-8595-e355-7c98138f3b95',
  'GPU-5e375e7e-b41f-155b-dcdc-534524c356fc',
  'GPU-69ec2344-ebac-b028-f88f-452abb3d7f11',
];
const SLICES = [
  'MIG-ce861fb0-a248-58ce-a9a8-f9adbc22a66a',
  'MIG-a45882f0-9215-5733-a0c1-49286ab31cb5',
  'MIG-f00d722c-f4e1-52c9-aa31-750441ae1bfe',
  'MIG-930574a9-d43a-5d2b-95da-3e68384c8d6b',
];
const SLICE_NAME = 'NVIDIA A100-SXM4-80GB MIG 1g.20gb';
const WHOLE_NAME = 'NVIDIA A100-SXM4-80GB';

describe('the CPU', () => {
  test('is one device with a lane a core', async () => {
    const [cpu, ...others] = await discoverDevices({ kind: 'cpu' }, null, toolsIn(directory('nothing')));
    expect(others).toEqual([]);
    expect(cpu).toMatchObject({ id: 'cpu', kind: 'cpu', lanes: availableParallelism(), driver: null });
    expect(cpu!.name).toMatch(/^CPU/);
  });

  test('is chosen on a machine with GPUs without asking nvidia-smi', async () => {
    const tools = await machineWith('exit 1');
    expect(await discoverDevices({ kind: 'cpu' }, 3, tools)).toMatchObject([{ id: 'cpu', lanes: 3 }]);
  });

  test('is what auto takes where nothing says that there is an NVIDIA GPU', async () => {
    expect(await discoverDevices(AUTO, null, toolsIn(directory('nothing')))).toMatchObject([{ id: 'cpu' }]);
  });
});

test('WebGPU without an adapter is refused, saying what is missing', async () => {
  const environment = { PATH: process.env['PATH'], VK_ICD_FILENAMES: '/nowhere.json' };
  const tools = { ...toolsIn(directory('nothing')), environment };
  await expect(discoverDevices({ kind: 'webgpu' }, null, tools)).rejects.toMatchObject({
    code: 'device_unavailable',
    message: expect.stringContaining('no WebGPU adapter can be used') as string,
  });
});

describe('auto takes', () => {
  test('an H100 by its UUID, with 2 lanes and its driver', async () => {
    expect(await discoverDevices(AUTO, null, await machine('h100'))).toEqual([
      {
        id: 'GPU-00000000-0000-0000-0000-000000000000',
        name: 'NVIDIA H100 80GB HBM3',
        kind: 'cuda',
        lanes: 2,
        driver: '590.48.01',
      },
    ]);
  });

  test('as many lanes as it is told', async () => {
    expect(await discoverDevices(AUTO, 5, await machine('l40s'))).toMatchObject([
      { name: 'NVIDIA L40S', lanes: 5 },
    ]);
  });

  test('the slices of a GPU in MIG mode instead of the GPU', async () => {
    const devices = await discoverDevices(AUTO, null, await machine('h100-mig'));
    expect(devices.map(({ name }) => name)).toEqual([
      'NVIDIA H100 80GB HBM3 MIG 3g.40gb',
      'NVIDIA H100 80GB HBM3 MIG 2g.20gb',
      'NVIDIA H100 80GB HBM3 MIG 1g.10gb',
      'NVIDIA H100 80GB HBM3 MIG 1g.10gb',
    ]);
    for (const device of devices) {
      const parent = 'GPU-00000000-0000-0000-0000-000000000000';
      expect(device).toMatchObject({
        kind: 'cuda',
        lanes: 2,
        driver: '590.48.01',
        parent,
      });
      expect(device.id).toMatch(/^MIG-/);
    }
  });

  test('slices that share the memory of one part of the GPU', async () => {
    const names = (await found(AUTO, await machine('h200-mig'))).map(([name]) => name);
    expect(names.slice(0, 2)).toEqual(['NVIDIA H200 MIG 1c.3g.71gb', 'NVIDIA H200 MIG 2c.3g.71gb']);
  });

  test('whole GPUs and slices side by side', async () => {
    expect(await found(AUTO, await machine('a100-some-mig'))).toEqual([
      ...SLICES.map((uuid) => [SLICE_NAME, uuid]),
      [WHOLE_NAME, A1],
      [WHOLE_NAME, A2],
      [WHOLE_NAME, A3],
    ]);
  });

  test('a GPU of a driver that does not know of MIG', async () => {
    expect(await discoverDevices(AUTO, null, await machine('rtx-2080-driver-440'))).toMatchObject([
      { name: 'GeForce RTX 2080', driver: '440.64' },
    ]);
  });

  test('a GPU that shares the memory of the machine', async () => {
    expect(await discoverDevices(AUTO, null, await machine('gb10'))).toMatchObject([{ name: 'NVIDIA GB10' }]);
  });
});

describe('auto is refused, with the reason and the ways out,', () => {
  const WAY_OUT = 'mend that, or choose cpu to compute on the CPU';

  test.each([
    ['no-devices', 6, 'No devices were found'],
    [
      'driver-mismatch',
      18,
      'Failed to initialize NVML: Driver/library version mismatch NVML library version: 570.124',
    ],
    [
      'driver-not-loaded',
      9,
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.",
    ],
    ['no-access', 255, 'Failed to initialize NVML: Unknown Error'],
    ['no-permission', 4, 'Failed to initialize NVML: Insufficient Permissions'],
    [
      'gpu-lost',
      15,
      'Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost. Reboot the system to recover this GPU',
    ],
  ])('where nvidia-smi fails: %s', async (recording, status, words) => {
    const tools = await machine(recording);
    expect(await refusal(AUTO, tools)).toEqual([
      `devices: auto cannot tell which GPUs there are: ${tools.searchPath}/nvidia-smi ended with status ${status} and said: ${words}; ${WAY_OUT}`,
    ]);
  });

  test('where the driver is loaded and there is no nvidia-smi', async () => {
    const tools = toolsIn(directory('driver'));
    await writeProgram(directory('driver'), 'other', 'exit 0');
    await writeFile(tools.driverNode!, '');
    expect(await refusal(AUTO, tools)).toEqual([
      `devices: auto cannot tell which GPUs there are: no nvidia-smi is on the PATH, although ${tools.driverNode} exists; ${WAY_OUT}`,
    ]);
  });

  test('where nvidia-smi hangs, within its time limit', async () => {
    const tools = { ...(await machineWith('exec sleep 60')), timeoutMilliseconds: 200 };
    expect(await refusal(AUTO, tools)).toEqual([
      `devices: auto cannot tell which GPUs there are: ${tools.searchPath}/nvidia-smi gave no answer within 0.2 s; ${WAY_OUT}`,
    ]);
  });

  test('and so is cuda, by its own name, with or without a driver', async () => {
    const reasons = await Promise.all([
      refusal({ kind: 'cuda' }, toolsIn(directory('nothing'))),
      refusal({ kind: 'cuda' }, await machine('no-devices')),
    ]);
    const begin = 'devices: cuda asks for NVIDIA GPUs, and none is known:';
    expect(reasons[0]).toEqual([`${begin} no nvidia-smi is on the PATH; ${WAY_OUT}`]);
    expect(reasons[1][0]).toMatch(new RegExp(`^${begin} .*No devices were found; `));
    expect(await found({ kind: 'cuda' }, await machine('l40s'))).toHaveLength(1);
  });

  test('where nvidia-smi cannot be run', async () => {
    const tools = await machineWith('');
    await writeFile(`${tools.searchPath}/nvidia-smi`, '#!/an/interpreter/that/is/not/there\n');
    expect((await refusal(AUTO, tools))[0]).toMatch(/nvidia-smi cannot be used: .+; mend that, or/);
  });

  test('where nvidia-smi prints more than it could have to say', async () => {
    const tools = await machineWith('exec head -c 3000000 /dev/zero');
    expect((await refusal(AUTO, tools))[0]).toMatch(/nvidia-smi cannot be used: .*maxBuffer/);
  });

  test.each([
    'GPU 0, something else',
    '0, GPU-00000000-0000-0000-0000-000000000000, 00000000:00:09.0, the newest, Disabled, NVIDIA H100',
    '0, GPU-00000000-0000-0000-0000-000000000000, 00000000:00:09.0, 590.48.01, Perhaps, NVIDIA H100',
    '0, GPU-00000000-0000-0000-0000-000000000000, 00000000:00:09.0, 590.48.01, Disabled',
    '0, GPU-00000000, 00000000:00:09.0, 590.48.01, Disabled, NVIDIA H100',
  ])('where a line is not understood, which it quotes: %s', async (line) => {
    expect(await refusal(AUTO, await machineWith(`echo '${line}'`))).toEqual([
      `devices: auto cannot tell which GPUs there are: nvidia-smi printed an unexpected line: "${line}"; ${WAY_OUT}`,
    ]);
  });

  test('where one of several GPUs is broken, with the names of those that are well', async () => {
    const [well, alsoWell] = [
      'GPU-e1924eea-b9bb-d537-39f2-b345087fa145',
      'GPU-acd314e9-4c7a-4824-eb0f-b6e38b1ec38c',
    ];
    const tools = await machine('one-of-three-broken');
    const faults = await refusal(AUTO, tools);
    expect(faults[0]).toBe(
      `devices: auto means every GPU, and nvidia-smi says: Unable to determine the device handle for GPU0000:17:00.0: Unknown Error; to go without it name the others: NVIDIA GeForce RTX 3090 (${well}), NVIDIA GeForce RTX 3090 (${alsoWell})`,
    );
    expect(await found(named(well, alsoWell), tools)).toEqual([
      ['NVIDIA GeForce RTX 3090', well],
      ['NVIDIA GeForce RTX 3090', alsoWell],
    ]);
  });

  test('where a GPU is in MIG mode and has no slice', async () => {
    const row = `0, ${A0}, 00000000:00:09.0, 590.48.01, Enabled, NVIDIA H100`;
    const tools = await machineWith(
      `if [ "$1" = -L ]; then echo 'GPU 0: NVIDIA H100 (UUID: ${A0})'; else echo '${row}'; fi`,
    );
    expect(await refusal(AUTO, tools)).toContain(
      `devices: NVIDIA H100 (${A0}) is in MIG mode and has no slice; make some, or name the devices to use`,
    );
  });
});

describe('named devices', () => {
  test('are taken in the order in which they are named, whatever else there is', async () => {
    const tools = await machine('a100-some-mig');
    expect(await found(named(A3, SLICES[2]!, A1), tools)).toEqual([
      [WHOLE_NAME, A3],
      [SLICE_NAME, SLICES[2]],
      [WHOLE_NAME, A1],
    ]);
  });

  test('may be named by as much of the UUID as tells them apart, in capitals too', async () => {
    const tools = await machine('a100-some-mig');
    expect(await found(named('GPU-D8', 'MIG-ce86'), tools)).toEqual([
      [WHOLE_NAME, A1],
      [SLICE_NAME, SLICES[0]],
    ]);
  });

  test('that cannot be had are refused all at once, each with what there is', async () => {
    const faults = await refusal(
      named('GPU-ff', 'GPU-5', 'GPU-5135', A1, 'GPU-d859'),
      await machine('a100-some-mig'),
    );
    const slices = SLICES.map((uuid) => `${SLICE_NAME} (${uuid})`).join(', ');
    expect(faults).toEqual([
      `devices: GPU-ff is not there; there are: ${slices}, ${[A1, A2, A3].map((uuid) => `${WHOLE_NAME} (${uuid})`).join(', ')}`,
      `devices: GPU-5 is the beginning of several: ${[A2, A0].map((uuid) => `${WHOLE_NAME} (${uuid})`).join(', ')}`,
      `devices: GPU-5135 is a GPU in MIG mode, which computes by its slices only: ${slices}`,
      `devices: GPU-d859 names ${A1} again`,
    ]);
  });

  test('are refused where nothing can say whether they are there', async () => {
    expect(await refusal(named(A1), toolsIn(directory('nothing')))).toEqual([
      'devices: no nvidia-smi is on the PATH',
    ]);
    expect((await refusal(named(A1), await machine('driver-not-loaded')))[0]).toContain(
      'ended with status 9',
    );
  });
});

describe('CUDA_VISIBLE_DEVICES', () => {
  const visible = (variable: string): Promise<DeviceTools> => machine('a100-some-mig', variable);

  test.each<[string, string[]]>([
    ['3,1', [A3, A1]],
    [` ${A2}`, [A2]],
    ['GPU-69ec,MIG-a458', [A3, SLICES[1]!]],
    ['2,-1,1', [A2]],
  ])('%s limits auto to what it shows, in its order, up to the first -1', async (variable, ids) => {
    expect((await found(AUTO, await visible(variable))).map(([, id]) => id)).toEqual(ids);
  });

  test.each(['', '-1'])('"%s" hides every GPU, and then auto is refused', async (variable) => {
    expect(await refusal(AUTO, await visible(variable))).toEqual([
      'devices: auto finds 4 GPUs, all hidden by CUDA_VISIBLE_DEVICES; unset it, or choose cpu to compute on the CPU',
    ]);
  });

  test('hides named devices too, which are then refused', async () => {
    const tools = await visible('1');
    expect(await found(named(A1), tools)).toEqual([[WHOLE_NAME, A1]]);
    expect(await refusal(named(A1, A2), tools)).toEqual([`devices: ${A2} is hidden by CUDA_VISIBLE_DEVICES`]);
  });

  test('is refused where CUDA would silently show fewer devices than it names', async () => {
    const faults = await refusal(AUTO, await visible('7,0,NoDevFiles,GPU-5135,1,1,GPU-ff'));
    expect(faults.map((fault) => fault.replace(/: NVIDIA.*/, ': …'))).toEqual([
      'CUDA_VISIBLE_DEVICES: there is no GPU 7; there are: …',
      'CUDA_VISIBLE_DEVICES: GPU 0 is in MIG mode: name its slices: …',
      'CUDA_VISIBLE_DEVICES: "NoDevFiles" is neither an index, -1 nor a UUID',
      'CUDA_VISIBLE_DEVICES: GPU-5135 is a GPU in MIG mode, which computes by its slices only: …',
      `CUDA_VISIBLE_DEVICES: 1 names ${A1} again`,
      'CUDA_VISIBLE_DEVICES: GPU-ff is not there; there are: …',
    ]);
  });

  test('says nothing of a machine without GPUs', async () => {
    const tools = { ...toolsIn(directory('nothing')), visibleDevices: '0' };
    expect(await discoverDevices(AUTO, null, tools)).toMatchObject([{ id: 'cpu' }]);
  });
});
