import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import type * as DeviceHosts from '../../src/host/device-host.ts';
import type { Segment, Work } from '../../src/host/protocol.ts';
import type { RegisteredModel } from '../../src/models/store.ts';
import { gaussianLaw } from '../../src/random/noise-law.ts';
import { imageInput, writeModelFolder } from '../support/model-folder.ts';
import { nativeTensorflowObstacle } from '../support/native-tensorflow.ts';
import { tensorflowNetworkFiles } from '../support/plain-network/tensorflow-network.ts';
import { twinned } from '../support/plain-network/twinned.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { readNetwork, shippedModels } from './network-engine.ts';

// oneDNN's kernels for AVX2 compute the rows of a batch in groups of several sizes and round the scores of a row by where it
// stands. Device hosts avoid them (tensorflow/kernels.ts); here they are asked for, since other CPUs may do the like.

const built = new URL('../../dist/host/device-host.js', import.meta.url).href;
const { createDeviceHost } = (await import(built)) as typeof DeviceHosts;
const at = useTemporaryDirectory();

function obstacle(): string | null {
  const cpu = process.platform === 'linux' ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  return nativeTensorflowObstacle() ?? (/\bavx2\b/.test(cpu) ? null : 'this CPU has no AVX2');
}

const ENVIRONMENT = {
  ...process.env,
  TF_NUM_INTRAOP_THREADS: '1',
  TF_NUM_INTEROP_THREADS: '1',
  TF_ENABLE_ONEDNN_OPTS: '1',
  DNNL_MAX_CPU_ISA: 'AVX2',
  ONEDNN_MAX_CPU_ISA: 'AVX2',
};
const NEVER = new AbortController().signal;
const INPUTS: Work['inputs'] = [20, 140].map((level, index) => ({
  bytes: Uint8Array.from({ length: 28 * 28 }, (_, pixel) => level + (pixel % 97)),
  stream: { key0: 1, key1: 2, stream: index },
}));
const SEGMENTS: readonly Segment[] = [
  { input: 0, purpose: 'selection', firstSample: 0, count: 100 },
  { input: 0, purpose: 'estimation', firstSample: 0, count: 900 },
  { input: 1, purpose: 'estimation', firstSample: 1_000, count: 777 },
];

/** The shipped network, each class twice with weights that are neighbours in float32: rounding decides every sample. */
async function closeCalls(rowsPerCall?: number): Promise<RegisteredModel> {
  const model = (await shippedModels()).find(({ manifest }) => manifest.engine === 'tensorflow')!;
  const network = twinned(readNetwork(model));
  return writeModelFolder(at(`close-calls-${rowsPerCall}`), {
    engine: 'tensorflow',
    files: tensorflowNetworkFiles(network),
    input: imageInput(28, 28, 1, 'NHWC'),
    classes: network.layers.at(-1)!.biases.length,
    ...(rowsPerCall === undefined ? {} : { rowsPerCall }),
  });
}

function startHost(lanes: number): DeviceHosts.DeviceHost {
  const device = { id: 'cpu', name: 'CPU', kind: 'cpu', lanes, driver: null } as const;
  const host = createDeviceHost(device, CPU_TARGET, ENVIRONMENT, pino({ level: 'silent' }));
  onTestFinished(() => host.close());
  return host;
}

async function draw(host: DeviceHosts.DeviceHost, model: RegisteredModel, segments: readonly Segment[]) {
  const work: Work = { id: 'work', model, noise: gaussianLaw(0.5), inputs: INPUTS, segments };
  const outcome = await host.sample(work, NEVER, () => undefined);
  if (outcome.kind !== 'sampled') throw new Error(JSON.stringify(outcome));
  return outcome;
}

const missing = obstacle();
if (missing !== null)
  console.log(`conformance: votes where rounding depends on the batch: not run, ${missing}`);

describe.skipIf(missing !== null)('where a row is rounded by its place in the batch', () => {
  it('the votes are the same with one lane and with two, however the draws are cut, and name the batch', async () => {
    // No multiple of the kernels' groups: a row of the last group is rounded otherwise than one of the first.
    const model = await closeCalls(61);
    const whole = await draw(startHost(1), model, SEGMENTS);
    expect(whole.engine).toMatchObject({ batch: 61 });
    expect(whole.batchSize).toBe(61);
    const host = startHost(2);
    for (const pieces of [61, 97, 250]) {
      const parents: number[] = [];
      const cut = SEGMENTS.flatMap((segment, parent) =>
        Array.from({ length: Math.ceil(segment.count / pieces) }, (_, piece) => {
          parents.unshift(parent);
          const done = piece * pieces;
          const count = Math.min(pieces, segment.count - done);
          return { ...segment, firstSample: segment.firstSample + done, count };
        }),
      ).toReversed();
      const { votes } = await draw(host, model, cut);
      const sums = whole.votes.map((counts) => counts.map(() => 0));
      for (const [index, counts] of votes.entries())
        counts.forEach((count, each) => (sums[parents[index]!]![each]! += count));
      expect(sums).toEqual(whole.votes);
    }
  });

  it('a host that has failed keeps to that batch, where others would be halved', async () => {
    const model = await closeCalls();
    const host = startHost(1);
    expect(await host.load(model)).toMatchObject({ kind: 'loaded', batchSize: 64 });
    host.setHalvings(3);
    host.kill();
    expect(await host.load(model).catch(() => host.load(model))).toMatchObject({
      kind: 'loaded',
      batchSize: 64,
    });
  });
});
