import { describe, expect, it } from 'vitest';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import type { RegisteredModel } from '../../src/models/store.ts';
import { verifyModel } from '../../src/models/verify.ts';
import { openClassifier } from '../../src/engines/open-classifier.ts';
import { openIn } from '../../src/engines/tensorflow/engine.ts';
import { loadTensorflowWasm } from '../../src/engines/tensorflow/library.ts';
import { nativeTensorflowObstacle } from '../support/native-tensorflow.ts';
import type { PlainNetwork } from '../support/plain-network/plain-network.ts';
import { twinned } from '../support/plain-network/twinned.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import {
  classesIn,
  disagreements,
  type NetworkEngine,
  noisyExamples,
  readNetwork,
  shippedModels,
} from './network-engine.ts';

const IMAGES = 4;
const SAMPLES = 320;
/** Of the IMAGES * SAMPLES samples of a network; docs/engines.md says how many it is of millions. */
const MOST_DIFFERING = 2;
const MODELS = await shippedModels();
const at = useTemporaryDirectory();
let folders = 0;
const folder = (): string => at(`models-${(folders += 1)}`);

const open = async (model: RegisteredModel) => openClassifier(await verifyModel(model), CPU_TARGET);
const ONNX: NetworkEngine = { name: 'ONNX Runtime', format: 'onnx', open };
const NATIVE: NetworkEngine = { name: 'TensorFlow', format: 'tensorflow', open };
const WASM: NetworkEngine = {
  name: 'TensorFlow.js on WebAssembly',
  format: 'tensorflow',
  open: async (model) =>
    openClassifier(await verifyModel(model), CPU_TARGET, async (verified) =>
      openIn(await loadTensorflowWasm(), verified),
    ),
};
const obstacle = nativeTensorflowObstacle();
if (obstacle !== null) console.log(`conformance: agreement of TensorFlow on the CPU: not run, ${obstacle}`);

/** The image one pixel further to the bottom and the right: what padding on the wrong side does. */
function shifted(network: PlainNetwork): PlainNetwork {
  const first = network.layers[0]!;
  if (first.kind !== 'convolution') throw new Error('the first layer is no convolution');
  const [top, left, bottom, right] = first.pads;
  const pads = [top + 1, left + 1, bottom - 1, right - 1] as const;
  return { ...network, layers: [{ ...first, pads }, ...network.layers.slice(1)] };
}

// One after another: both backends of TensorFlow.js are in one process here, and the one set last computes.
describe.each(obstacle === null ? [NATIVE, WASM] : [WASM])('$name and ONNX Runtime', (engine) => {
  describe.each(MODELS)('on the network of $manifest.name', (model) => {
    const network = readNetwork(model);

    it(`disagree on at most ${MOST_DIFFERING} of ${IMAGES * SAMPLES} noisy samples, and on these by rounding`, async () => {
      const batch = await noisyExamples(model, IMAGES, SAMPLES);
      const expected = await classesIn(ONNX, folder(), network, batch);
      const found = await classesIn(engine, folder(), network, batch);
      const differing = disagreements(network, batch, expected, found);
      expect(differing.length).toBeLessThanOrEqual(MOST_DIFFERING);
      for (const { gap, bound } of differing) expect(gap).toBeLessThanOrEqual(bound);
    });

    it('disagree where two scores differ by rounding only, by no more than rounding explains', async () => {
      const twins = twinned(network);
      const batch = await noisyExamples(model, 2, 16);
      const expected = await classesIn(ONNX, folder(), twins, batch);
      const found = await classesIn(engine, folder(), twins, batch);
      const differing = disagreements(twins, batch, expected, found);
      expect(differing.length).toBeGreaterThan(0);
      for (const { gap, bound, spread } of differing) {
        expect(gap).toBeLessThanOrEqual(bound);
        // The bound says something: it is far below what distinguishes classes.
        expect(bound).toBeLessThan(spread / 1_000);
      }
    });

    it('are told apart where one of them has the network with its padding on another side', async () => {
      const batch = await noisyExamples(model, IMAGES, SAMPLES);
      const expected = await classesIn(ONNX, folder(), network, batch);
      const found = await classesIn(engine, folder(), shifted(network), batch);
      const differing = expected.flatMap((given, row) => (given === found[row] ? [] : [row]));
      expect(differing.length).toBeGreaterThan(MOST_DIFFERING);
      const few = differing.slice(0, 20);
      const elements = batch.length / expected.length;
      const rows = Float32Array.from(
        few.flatMap((row) => [...batch.subarray(row * elements, (row + 1) * elements)]),
      );
      const gaps = disagreements(network, rows, few.map((row) => expected[row]!), few.map((row) => found[row]!)); // prettier-ignore
      expect(gaps.filter(({ gap, bound }) => gap > bound).length).toBeGreaterThan(few.length / 2);
    });
  });
});
