import { fork } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createBirpc } from 'birpc';
import { pino } from 'pino';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { openModelStore, type RegisteredModel } from '../../src/models/store.ts';
import { verifyModel } from '../../src/models/verify.ts';
import { openClassifier } from '../../src/engines/open-classifier.ts';
import type * as DeviceHosts from '../../src/host/device-host.ts';
import {
  type HostFunctions,
  type HostSettings,
  PROTOCOL,
  type Segment,
  type Work,
  type WorkerFunctions,
  type WorkOutcome,
} from '../../src/host/protocol.ts';
import { openBatchMemory } from '../../src/host/batch-memory.ts';
import { gaussianCutpoints } from '../../src/random/cutpoints.ts';
import { referenceNoise } from '../../src/random/reference.ts';
import { gaussianLaw } from '../../src/random/noise-law.ts';
import { identifyProcess } from '../support/process-identity.ts';
import { linearOnnx, PRELUDES } from '../support/linear-onnx.ts';
import {
  imageInput,
  type LinearModelOptions,
  writeLinearModel,
  writeModelFolder,
} from '../support/model-folder.ts';
import { runScript, untilGone } from '../support/processes.ts';
import { SHARED_CACHE } from '../support/shared-cache.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

// Host processes and lanes are started from their files, so the build is tested; `npm test` makes it first.
const BUILT = new URL('../../dist/host/', import.meta.url);
const { createDeviceHost } = (await import(new URL('device-host.js', BUILT).href)) as typeof DeviceHosts;

const CRASHED = { name: 'HostCrashedError' };
const ENVIRONMENT = { ...process.env, ORT_DISABLE_TELEMETRY: '1' };
const SILENT = pino({ level: 'silent' });
const NEVER = new AbortController().signal;
const ignore = (): void => undefined;

const directory = useTemporaryDirectory();
let folders = 0;

/** Three classes of a 3 x 3 image, all of them likely under noise. */
const LINEAR: LinearModelOptions = {
  input: imageInput(3, 3),
  weights: [
    [1, -0.5, 0.25, 0.75, -1, 0.5, 0.125, 0, -0.25],
    [-0.25, 1, 0.5, -0.75, 0.25, -0.5, 0.5, -0.125, 0.25],
    [0.5, 0.25, -1, 0.25, 0.75, 0.25, -0.5, 0.25, 0],
  ],
  biases: [0.003, 0.001, 0.002],
};
const SIGMA = 0.5;

const INPUTS: Work['inputs'] = [
  { bytes: Uint8Array.of(10, 200, 30, 40, 50, 160, 70, 80, 90), stream: { key0: 1, key1: 2, stream: 3 } },
  { bytes: new Uint8Array(9).fill(128), stream: { key0: 4, key1: 5, stream: 6 } },
];

const SEGMENTS: readonly Segment[] = [
  { input: 0, purpose: 'selection', firstSample: 0, count: 100 },
  { input: 0, purpose: 'estimation', firstSample: 0, count: 1_500 },
  { input: 1, purpose: 'estimation', firstSample: 2 ** 32 - 300, count: 777 },
];

function linear(options: Partial<LinearModelOptions> = {}): Promise<RegisteredModel> {
  folders += 1;
  return writeLinearModel(directory(`models-${folders}`, `linear-${folders}`), { ...LINEAR, ...options });
}

/** A model of one batch size: it loads in a tenth of the time, since no other size is tried. What is not about sizes takes it. */
const quick = (options: Partial<LinearModelOptions> = {}): Promise<RegisteredModel> =>
  linear({ batch: 64, ...options });

async function shipped(): Promise<RegisteredModel> {
  const store = await openModelStore(fileURLToPath(new URL('../../models', import.meta.url)));
  return store.find('mnist-cnn')!;
}

function createHost(lanes: number): DeviceHosts.DeviceHost {
  const device = { id: 'cpu', name: 'CPU', kind: 'cpu', lanes, driver: null } as const;
  const batches = openBatchMemory(SHARED_CACHE, device);
  return createDeviceHost(device, CPU_TARGET, ENVIRONMENT, SILENT, { batches });
}

/** A host of the test's own. */
function startHost(lanes = 1): DeviceHosts.DeviceHost {
  const host = createHost(lanes);
  onTestFinished(() => host.close());
  return host;
}

const shared = new Map<number, DeviceHosts.DeviceHost>();
afterAll(() => Promise.all([...shared.values()].map((host) => host.close())));

/** A host that others use too, for what does not end it: most of the time of a test is that of a process to start. */
function sharedHost(lanes = 1): DeviceHosts.DeviceHost {
  const host = shared.get(lanes) ?? createHost(lanes);
  shared.set(lanes, host);
  return host;
}

function work(model: RegisteredModel, segments: readonly Segment[] = SEGMENTS, id = 'work'): Work {
  return { id, model, noise: gaussianLaw(SIGMA), inputs: INPUTS, segments };
}

/** Much work for the shipped model: several seconds of it. */
async function longWork(): Promise<Work> {
  const model = await shipped();
  const inputs = [{ bytes: new Uint8Array(28 * 28).fill(90), stream: { key0: 7, key1: 8, stream: 9 } }];
  const segments: Segment[] = [{ input: 0, purpose: 'estimation', firstSample: 0, count: 1_000_000 }];
  return { id: 'long', model, noise: gaussianLaw(0.5), inputs, segments };
}

function votesOf(outcome: WorkOutcome): readonly (readonly number[])[] {
  if (outcome.kind !== 'sampled') throw new Error(JSON.stringify(outcome));
  return outcome.votes;
}

/** Starts a host process without a worker's handle on it, and speaks its protocol. */
function startProcess(): HostFunctions {
  const settings: HostSettings = { protocol: PROTOCOL, lanes: 1, target: CPU_TARGET };
  const child = fork(fileURLToPath(new URL('host-process.js', BUILT)), [JSON.stringify(settings)], {
    env: ENVIRONMENT,
    serialization: 'advanced',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return createBirpc<HostFunctions, WorkerFunctions>(
    { progress: ignore, alive: ignore },
    { post: (message) => child.send(message), on: (listener) => child.on('message', listener), timeout: -1 },
  );
}

/** The votes by the plain reference noise and one row at a time: no kernel, no batch, no lane. */
async function referenceVotes(): Promise<number[][]> {
  const model = await linear();
  const session = await openClassifier(await verifyModel(model), CPU_TARGET);
  const cutpoints = gaussianCutpoints(SIGMA);
  const votes = SEGMENTS.map(() => [0, 0, 0]);
  const row = new Float32Array(9);
  const classes = new Int32Array(1);
  for (const [segment, { input, purpose, firstSample, count }] of SEGMENTS.entries()) {
    const { bytes, stream } = INPUTS[input]!;
    for (let sample = firstSample; sample < firstSample + count; sample += 1) {
      for (const [element, pixel] of bytes.entries())
        row[element] = (pixel + referenceNoise(cutpoints, stream, purpose, sample, element)) / 255;
      await session.classify(row, 1, classes);
      votes[segment]![classes[0]!]! += 1;
    }
  }
  await session.close();
  return votes;
}

let expected: Promise<number[][]> | undefined;
const EXPECTED = (): Promise<number[][]> => (expected ??= referenceVotes());

/** The same samples in other segments, and which of the original segments each belongs to. */
function cut(pieces: number): { segments: Segment[]; parents: number[] } {
  const segments: Segment[] = [];
  const parents: number[] = [];
  for (const [parent, segment] of SEGMENTS.entries()) {
    for (let done = 0; done < segment.count; done += pieces) {
      const count = Math.min(pieces, segment.count - done);
      // Later samples first, so that the order of segments is not that of the samples.
      segments.unshift({ ...segment, firstSample: segment.firstSample + done, count });
      parents.unshift(parent);
    }
  }
  return { segments, parents };
}

describe('the votes of a device host', () => {
  it('are those of the plain reference noise and the network, row by row', async () => {
    const model = await quick();
    const expected = await EXPECTED();
    expect(expected.flat().every((count) => count > 0)).toBe(true);
    const outcome = await sharedHost().sample(work(model), NEVER, ignore);
    expect(votesOf(outcome)).toEqual(expected);
  });

  it('are the same with one lane and with two, however the segments are cut', async () => {
    const model = await quick();
    const expected = votesOf(await sharedHost(1).sample(work(model), NEVER, ignore));
    const host = sharedHost(2);
    expect(votesOf(await host.sample(work(model), NEVER, ignore))).toEqual(expected);
    for (const pieces of [1, 17, 256, 1_000]) {
      const { segments, parents } = cut(pieces);
      const votes = votesOf(await host.sample(work(model, segments), NEVER, ignore));
      const sums = SEGMENTS.map(() => [0, 0, 0]);
      for (const [index, counts] of votes.entries())
        counts.forEach((count, each) => (sums[parents[index]!]![each]! += count));
      expect(sums).toEqual(expected);
    }
  });

  it('are the same whatever batch size was fixed before', async () => {
    const host = startProcess();
    for (const batch of [1, 7, 64, 1_000]) {
      const model = await linear();
      expect(await host.load(model, { batchSize: batch, samplesPerSecond: 1_000 }, [])).toMatchObject({
        kind: 'loaded',
        batchSize: batch,
      });
      expect(votesOf(await host.sample(work(model)))).toEqual(await EXPECTED());
    }
  });

  it('are the same with a batch size that is remembered, which only the engine that it was measured in takes', async () => {
    const model = await linear();
    const measured = await startProcess().load(model, null, []);
    if (measured.kind !== 'loaded') throw new Error(measured.detail);
    const { engine } = measured;
    // No size that is tried by itself.
    const remembered = { engine, batchSize: 24, samplesPerSecond: 1_000 };
    const other = { ...remembered, engine: { ...engine, version: '0.0.1' }, batchSize: 40 };
    const host = startProcess();
    expect(await host.load(model, null, [other, remembered])).toMatchObject({
      batchSize: 24,
      samplesPerSecond: 1_000,
    });
    expect(votesOf(await host.sample(work(model)))).toEqual(await EXPECTED());
    const outcome = await startProcess().load(model, null, [other]);
    expect(Math.log2('batchSize' in outcome ? outcome.batchSize : 0) % 1).toBe(0);
  });

  it('are the same for a model of one batch size', async () => {
    const expected = await EXPECTED();
    const host = sharedHost();
    const model = await linear({ batch: 5 });
    expect(await host.load(model)).toMatchObject({ kind: 'loaded', batchSize: 5 });
    expect(votesOf(await host.sample(work(model), NEVER, ignore))).toEqual(expected);
  });

  it('are the same where the manifest normalises and the weights undo it', async () => {
    // w (x - 1/2) / (1/4) + b' with w' = w / 4 and b' = b + w / 2 is w x + b; powers of two, so exact but for the last bits.
    const weights = LINEAR.weights.map((row) => row.map((each) => each / 4));
    const biases = LINEAR.biases.map(
      (bias, index) => bias + LINEAR.weights[index]!.reduce((sum, each) => sum + each / 2, 0),
    );
    const model = await quick({ weights, biases, preprocess: { mean: [0.5], std: [0.25] } });
    const votes = votesOf(await sharedHost().sample(work(model), NEVER, ignore));
    expect(votes).toEqual(await EXPECTED());
  });

  it('are the same when the work is handed out again while the first attempt runs', async () => {
    const model = await quick();
    const host = sharedHost(2);
    const [first, second, third] = await Promise.all(
      [1, 2, 3].map(() => host.sample(work(model), NEVER, ignore)),
    );
    expect(votesOf(second!)).toEqual(votesOf(first!));
    expect(votesOf(third!)).toEqual(votesOf(first!));
  });

  it('are none, at once, for work without segments', async () => {
    expect(votesOf(await sharedHost().sample(work(await quick(), []), NEVER, ignore))).toEqual([]);
  });

  it('are the same after more models than a host keeps open', async () => {
    const host = sharedHost();
    const first = await quick();
    const expected = votesOf(await host.sample(work(first), NEVER, ignore));
    for (let model = 0; model < 9; model += 1) expect((await host.load(await quick())).kind).toBe('loaded');
    expect(votesOf(await host.sample(work(first), NEVER, ignore))).toEqual(expected);
  });
});

describe('progress', () => {
  it('adds up to the samples asked for, exactly', async () => {
    const model = await quick();
    const host = sharedHost(2);
    const counts = [0, 0];
    await Promise.all(
      counts.map((_, index) =>
        host.sample(work(model, SEGMENTS, `work-${index}`), NEVER, (samples) => (counts[index]! += samples)),
      ),
    );
    expect(counts).toEqual([2_377, 2_377]);
  });
});

describe('aborting', () => {
  it('ends the work within a task of every lane, and the host goes on', async () => {
    const long = await longWork();
    const host = sharedHost(2);
    const loaded = await host.load(long.model);
    if (loaded.kind !== 'loaded') throw new Error(loaded.detail);
    const controller = new AbortController();
    let drawn = 0;
    let drawnAtAbort: number | null = null;
    const outcome = await host.sample(long, controller.signal, (samples) => {
      drawn += samples;
      if (drawnAtAbort !== null) return;
      drawnAtAbort = drawn;
      controller.abort();
    });
    expect(outcome).toEqual({ kind: 'aborted' });
    // Two tasks of some 50 ms may be under way on each lane; a second's work is far less than the million asked for.
    expect(drawn - drawnAtAbort!).toBeLessThan(loaded.samplesPerSecond);
    const model = await quick();
    expect(votesOf(await host.sample(work(model), NEVER, ignore))).toEqual(await EXPECTED());
  });

  it('before the start draws nothing', async () => {
    let drawn = 0;
    const outcome = await sharedHost().sample(
      work(await quick()),
      AbortSignal.abort(),
      (samples) => (drawn += samples),
    );
    expect(outcome).toEqual({ kind: 'aborted' });
    expect(drawn).toBe(0);
  });
});

describe('a host that is killed', () => {
  it('fails its work, and the next host gives the same votes with the same batch size', async () => {
    const model = await linear();
    const long = await longWork();
    const host = startHost(2);
    const loaded = await host.load(model);
    const expected = votesOf(await host.sample(work(model), NEVER, ignore));
    const killed = host.pid()!;
    const failing = host.sample(long, NEVER, () => process.kill(killed, 'SIGKILL'));
    await expect(failing).rejects.toMatchObject({ ...CRASHED, incarnation: 0 });
    await untilGone(killed);
    expect(host.pid()).toBeNull();
    expect(votesOf(await host.sample(work(model), NEVER, ignore))).toEqual(expected);
    expect(host.restarts()).toBe(1);
    expect(host.pid()).not.toBe(killed);
    const again = await host.load(model);
    expect('batchSize' in again && again.batchSize).toBe('batchSize' in loaded && loaded.batchSize);
  });
});

describe('a process of a host that has failed', () => {
  it('is ended by its number, and never the one that came after it', async () => {
    const model = await quick();
    const host = startHost();
    await host.load(model);
    const first = host.pid()!;
    host.kill(0);
    await untilGone(first);
    await until(() => host.pid() === null, { what: 'the end of the first process' });
    await host.load(model);
    const second = host.pid()!;
    host.kill(0);
    expect(await host.sample(work(model), NEVER, ignore)).toMatchObject({ kind: 'sampled' });
    expect(host.pid()).toBe(second);
    host.kill(1);
    await untilGone(second);
  });

  it('is named with the failure of its draw', async () => {
    const model = await quick();
    const host = startHost();
    await host.load(model);
    const first = host.pid()!;
    host.kill();
    await untilGone(first);
    await until(() => host.pid() === null, { what: 'the end of the first process' });
    await writeFile(`${model.folder}/model.onnx`, 'something else');
    expect(await host.sample(work(model), NEVER, ignore)).toMatchObject({ kind: 'failed', incarnation: 1 });
  });
});

describe('a model that is not valid', () => {
  it('fails with the code of what is wrong, and loads once it is mended', async () => {
    const good = await quick();
    const host = startHost();
    const path = `${good.folder}/model.onnx`;
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(1));
    expect(await host.load(good)).toMatchObject({ kind: 'failed', code: 'model_digest_mismatch' });
    expect(await host.sample(work(good), NEVER, ignore)).toMatchObject({
      kind: 'failed',
      code: 'model_digest_mismatch',
    });
    await writeFile(path, bytes);
    expect(await host.load(good)).toMatchObject({ kind: 'loaded' });
    expect(host.restarts()).toBe(0);
  });

  it('fails as invalid: noise of its own, another output than stated, NaN for every image', async () => {
    const host = sharedHost();
    const nan = LINEAR.weights.map((row) => row.map(() => NaN));
    const fourClasses = writeModelFolder(directory('wider', 'linear'), {
      files: { 'model.onnx': linearOnnx({ ...LINEAR, shape: [1, 3, 3] }) },
      input: LINEAR.input,
      classes: 4,
    });
    const bad = [
      linear({ prelude: PRELUDES.randomNormal }),
      linear({ prelude: PRELUDES.dropoutTraining }),
      fourClasses,
      linear({ weights: nan }),
    ];
    for (const model of bad)
      expect(await host.load(await model)).toMatchObject({ kind: 'failed', code: 'model_invalid' });
  });

  it('fails the work where only some noisy images have no finite score, and goes on with other work', async () => {
    const host = sharedHost(2);
    const model = await quick({ prelude: PRELUDES.logarithm });
    const failed = host.sample(work(model), NEVER, ignore);
    const good = await quick();
    const sampled = host.sample(work(good), NEVER, ignore);
    expect(await failed).toMatchObject({ kind: 'failed', code: 'model_output_invalid' });
    expect((await sampled).kind).toBe('sampled');
    expect(host.restarts()).toBe(0);
  });
});

describe('work whose noise is of a law that the host does not draw', () => {
  it('fails without a vote, and the host draws the next one', async () => {
    const host = sharedHost(2);
    const model = await quick();
    for (const other of [{ version: 2 }, { scheme: 'other' }, { distribution: 'uniform' }]) {
      const asked = { ...work(model), noise: { ...gaussianLaw(SIGMA), ...other } };
      expect(await host.sample(asked, NEVER, ignore)).toMatchObject({
        kind: 'failed',
        code: 'noise_unavailable',
      });
    }
    expect((await host.sample(work(model), NEVER, ignore)).kind).toBe('sampled');
    expect(host.restarts()).toBe(0);
  });
});

describe('the process of a host', () => {
  it('starts with the first call, is kept, and ends with close', async () => {
    const host = startHost(2);
    expect(host.pid()).toBeNull();
    const model = await quick();
    await host.load(model);
    const pid = host.pid()!;
    await host.sample(work(model), NEVER, ignore);
    expect(host.pid()).toBe(pid);
    await host.close();
    await untilGone(pid);
    await expect(host.load(model)).rejects.toMatchObject(CRASHED);
    await expect(host.sample(work(model), NEVER, ignore)).rejects.toMatchObject(CRASHED);
  });

  it('ends with close while it works; the work is rejected', async () => {
    const long = await longWork();
    const host = startHost(2);
    let started = false;
    const working = host.sample(long, NEVER, () => (started = true));
    // Looked at before it is awaited, so that the rejection never counts as unhandled.
    working.catch(ignore);
    await until(() => started, { what: 'the first samples' });
    const pid = host.pid()!;
    await host.close();
    await expect(working).rejects.toMatchObject(CRASHED);
    await untilGone(pid);
  });

  it('outlives neither an idle nor a working parent that is killed', async () => {
    const long = await longWork();
    // A forked process would get this one's --eval as well.
    const script = `
      process.execArgv.length = 0;
      const { createDeviceHost } = await import(${JSON.stringify(new URL('device-host.js', BUILT).href)});
      const { pino } = await import(${JSON.stringify(import.meta.resolve('pino'))});
      const { model, ...work } = JSON.parse(process.argv.at(-1));
      const host = createDeviceHost({ id: 'cpu', name: 'CPU', kind: 'cpu', lanes: 2 }, ${JSON.stringify(CPU_TARGET)},
        { ...process.env, ORT_DISABLE_TELEMETRY: '1' }, pino({ level: 'silent' }));
      await host.load(model);
      if (work.segments.length === 0) console.log(host.pid());
      const inputs = work.inputs.map((input) => ({ ...input, bytes: Uint8Array.from(input.bytes) }));
      let told = false;
      const tell = () => { if (!told) console.log(host.pid()); told = true; };
      await host.sample({ ...work, model, inputs }, new AbortController().signal, tell);
      setInterval(() => {}, 1000);
    `;
    for (const segments of [[], long.segments]) {
      const inputs = long.inputs.map((input) => ({ ...input, bytes: [...input.bytes] }));
      const parent = runScript(script, [JSON.stringify({ ...long, inputs, segments })]);
      onTestFinished(() => parent.kill());
      const pid = (await parent.nextLine()) as number;
      expect(identifyProcess(pid)).not.toBeNull();
      await parent.kill();
      await untilGone(pid);
    }
  });
});
