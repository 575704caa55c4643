import { fork } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBirpc } from 'birpc';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ComputeTarget, CPU_TARGET } from '../../src/engines/compute-target.ts';
import { discoverDevices } from '../../src/devices/discover.ts';
import { inputElements } from '../../src/models/manifest.ts';
import { openModelStore } from '../../src/models/store.ts';
import { verifyModel } from '../../src/models/verify.ts';
import { openOnnxSession } from '../../src/engines/onnx/engine.ts';
import { openClassifier } from '../../src/engines/open-classifier.ts';
import { findWebgpuAdapter } from '../../src/devices/webgpu.ts';
import type * as DeviceHosts from '../../src/host/device-host.ts';
import {
  type HostFunctions,
  type HostSettings,
  PROTOCOL,
  type Work,
  type WorkerFunctions,
} from '../../src/host/protocol.ts';
import { gaussianLaw } from '../../src/random/noise-law.ts';
import { domainFault } from '../support/domain-fault.ts';
import type { Prelude } from '../support/linear-onnx.ts';
import { integers } from '../support/onnx-file.ts';
import { imageInput, type LinearModelOptions, writeLinearModel } from '../support/model-folder.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { classify, engineLaws, pixels } from './engine-laws.ts';

// Runs in the vitest project "webgpu", whose processes start with a Vulkan loader and SwiftShader, a software driver.

const BUILT = new URL('../../dist/host/', import.meta.url);
const { createDeviceHost } = (await import(new URL('device-host.js', BUILT).href)) as typeof DeviceHosts;

const TARGET = { ...CPU_TARGET, kind: 'webgpu' } as const;
const directory = useTemporaryDirectory();

const LINEAR: LinearModelOptions = {
  input: imageInput(1, 3),
  weights: [
    [1, -0.5, 0.25],
    [-0.25, 1, 0.5],
  ],
  biases: [0.003, 0.001],
};

engineLaws('ONNX Runtime on WebGPU', (model) => openOnnxSession(model, TARGET), {
  domainErrorsAreNaN: false,
});

describe('ONNX Runtime on WebGPU', () => {
  it('says that WebGPU computed, in fp32 even where tf32 is allowed', async () => {
    const model = await verifyModel(await writeLinearModel(directory('allowed', 'linear'), LINEAR));
    const session = await openOnnxSession(model, { ...TARGET, precision: 'tf32' });
    onTestFinished(() => session.close());
    expect(session.identity).toMatchObject({ provider: 'webgpu', precision: 'fp32' });
  });

  it('refuses a model with a node that only the CPU can compute, and names both', async () => {
    const hardmax: Prelude = { nodes: [{ op_type: 'Hardmax', input: ['image'], output: ['prepared'] }] };
    const model = await verifyModel(
      await writeLinearModel(directory('hardmax', 'linear'), { ...LINEAR, prelude: hardmax }),
    );
    const fault = await domainFault(() => openOnnxSession(model, TARGET));
    expect(fault.code).toBe('model_invalid');
    expect(fault.message).toMatch(/\(Hardmax\) ran on CPUExecutionProvider/);
  });

  it('classifies noisy digits as the CPU does', async () => {
    const store = await openModelStore(fileURLToPath(new URL('../../models', import.meta.url)));
    const model = await verifyModel(store.find('mnist-cnn')!);
    const rows = 32;
    const batch = pixels(rows * inputElements(model.manifest), 12);
    const classes: number[][] = [];
    for (const target of [CPU_TARGET, TARGET]) {
      const session = await openClassifier(model, target);
      onTestFinished(() => session.close());
      classes.push(await classify(session, batch, rows));
    }
    expect(classes[1]).toEqual(classes[0]);
  });
});

describe('a device host on WebGPU', () => {
  function startHost(target: ComputeTarget, lanes = 1): DeviceHosts.DeviceHost {
    const { kind } = target;
    const device = { id: kind, name: kind, kind, lanes, driver: null };
    const host = createDeviceHost(device, target, { ...process.env }, pino({ level: 'silent' }));
    onTestFinished(() => host.close());
    return host;
  }

  it('gives the votes of a host on the CPU for a classifier whose scores are never close', async () => {
    const model = await writeLinearModel(directory('host', 'linear'), { ...LINEAR, batch: 64 });
    const work: Work = {
      id: 'work',
      model,
      noise: gaussianLaw(0.5),
      inputs: [{ bytes: Uint8Array.of(120, 130, 90), stream: { key0: 1, key1: 2, stream: 3 } }],
      segments: [{ input: 0, purpose: 'estimation', firstSample: 0, count: 1_000 }],
    };
    const votes: unknown[] = [];
    for (const target of [CPU_TARGET, TARGET]) {
      const outcome = await startHost(target).sample(work, new AbortController().signal, () => undefined);
      votes.push(outcome.kind === 'sampled' ? outcome.votes : outcome);
    }
    expect(votes[1]).toEqual(votes[0]);
    expect(votes[1]).toEqual([[expect.any(Number), expect.any(Number)]]);
  });

  /** Starts a host process without a worker's handle on it, and speaks its protocol. */
  function startProcess(): HostFunctions {
    const settings: HostSettings = { protocol: PROTOCOL, lanes: 1, target: TARGET };
    const child = fork(fileURLToPath(new URL('host-process.js', BUILT)), [JSON.stringify(settings)], {
      serialization: 'advanced',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return createBirpc<HostFunctions, WorkerFunctions>(
      { progress: () => undefined, alive: () => undefined },
      {
        post: (message) => child.send(message),
        on: (listener) => child.on('message', listener),
        timeout: -1,
      },
    );
  }

  it('halves a batch that the device has no room for, and counts the same votes with what is left of it', async () => {
    // Each row is copied 30 times on its way, which makes 1.05 MiB of it, and one of the copies is used. No row meets another,
    // but 1,024 of them do not fit the largest buffer, 1 GiB.
    const [height, width, copies] = [96, 96, 30];
    const prelude: Prelude = {
      nodes: [
        { op_type: 'Expand', input: ['image', 'shape'], output: ['copies'] },
        { op_type: 'Slice', input: ['copies', 'first', 'end', 'axis'], output: ['prepared'] },
      ],
      initializers: [
        integers('shape', [1, copies, 1, 1]),
        integers('first', [copies - 1]),
        integers('end', [copies]),
        integers('axis', [1]),
      ],
    };
    const zeros = Array.from({ length: height * width - 3 }, () => 0);
    const weights = LINEAR.weights.map((row) => [...row, ...zeros]);
    const input = imageInput(height, width);
    const model = await writeLinearModel(directory('roomy', 'linear'), {
      ...LINEAR,
      input,
      weights,
      prelude,
    });
    const work: Work = {
      id: 'work',
      model,
      noise: gaussianLaw(0.5),
      inputs: [{ bytes: new Uint8Array(height * width).fill(128), stream: { key0: 1, key1: 2, stream: 3 } }],
      segments: [{ input: 0, purpose: 'estimation', firstSample: 0, count: 600 }],
    };
    const host = startProcess();
    const loaded = await host.load(model, { batchSize: 2_048, samplesPerSecond: 1_000 }, []);
    expect(loaded).toMatchObject({ kind: 'loaded', batchSize: 512, engine: { rows: 'proved' } });
    const outcome = await host.sample(work);
    const expected = await startHost(CPU_TARGET).sample(work, new AbortController().signal, () => undefined);
    expect(outcome.kind === 'sampled' && outcome.votes).toEqual(
      expected.kind === 'sampled' && expected.votes,
    );
    expect(outcome.kind).toBe('sampled');
  });

  it('takes one lane: sessions of two threads would end the process', async () => {
    const model = await writeLinearModel(directory('lanes', 'linear'), LINEAR);
    expect(await startHost(TARGET, 2).load(model)).toMatchObject({ kind: 'failed', code: 'config_invalid' });
  });
});

describe('the adapter', () => {
  it('is named as its driver says, and told from a GPU', async () => {
    expect(await findWebgpuAdapter({ ...process.env })).toEqual({
      name: expect.stringContaining('SwiftShader'),
      software: true,
    });
  });

  it('cannot be used without a driver or without a loader, which is said', async () => {
    const { LD_LIBRARY_PATH: _, ...withoutLoader } = process.env;
    // The machine may have a loader of its own: it shall find no driver.
    for (const base of [process.env, withoutLoader]) {
      const environment = { ...base, VK_ICD_FILENAMES: '/nowhere.json' };
      const fault = await domainFault(() => findWebgpuAdapter(environment));
      expect(fault.code).toBe('device_unavailable');
      expect(fault.message).toMatch(
        /the Vulkan loader \(libvulkan\.so\.1\) or the driver of a GPU is missing/,
      );
    }
  });
});

describe('the device', () => {
  const SELECTION = { kind: 'webgpu' } as const;
  const tools = (environment: NodeJS.ProcessEnv) => ({ searchPath: '', visibleDevices: null, environment });

  it('has the name of its adapter, says that it is a program, and has one lane', async () => {
    const [device] = await discoverDevices(SELECTION, null, tools({ ...process.env }));
    expect(device).toMatchObject({ id: 'webgpu', kind: 'webgpu', lanes: 1 });
    expect(device!.name).toMatch(/^WebGPU SwiftShader .*\(software\)$/);
  });

  it('is no program on the CPU unless the operator has named its driver', async () => {
    const { VK_ICD_FILENAMES: driver, ...environment } = process.env;
    // Installed for this user, so that the loader finds it by itself.
    const folder = directory('home', '.local', 'share', 'vulkan', 'icd.d');
    await mkdir(folder, { recursive: true });
    const icd = JSON.parse(await readFile(driver!, 'utf8')) as { ICD: { library_path: string } };
    icd.ICD.library_path = join(dirname(driver!), icd.ICD.library_path);
    await writeFile(join(folder, 'swiftshader.json'), JSON.stringify(icd));
    const { XDG_DATA_HOME: _, ...base } = environment;
    const fault = await domainFault(() =>
      discoverDevices(SELECTION, null, tools({ ...base, HOME: directory('home') })),
    );
    expect(fault.code).toBe('device_unavailable');
    expect(fault.faults[0]!.detail).toMatch(
      /^WebGPU would compute on SwiftShader .*, which is a program on the CPU/,
    );
  });
});
