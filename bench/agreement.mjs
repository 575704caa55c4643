// Agreement between engines: the same network, the same noisy samples, in every engine that runs here. How many samples
// get another class, what that does to the votes, and how close the scores of those samples are. Needs `npm run build`.
//
//   node bench/agreement.mjs [--network NAME]... [--samples N] [--wasm N] [--webgpu N] [--images N]
import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CPU_TARGET } from '../dist/engines/compute-target.js';
import { toInputTensor } from '../dist/models/inputs/input-tensor.js';
import { pinnedEnvironment } from '../dist/devices/pinned-environment.js';
import { gaussianCutpoints } from '../dist/random/cutpoints.js';
import { NoiseKernel } from '../dist/random/noise-kernel.js';
import { machine } from './machine.mjs';
import { buildSupport, support } from './support.mjs';

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));
/** Of the shipped models. */
const NETWORKS = readdirSync(path('models'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({ name, examples: name.startsWith('fashion') ? 'fashion-mnist' : 'mnist' }));
const ENGINES = [
  { name: 'ONNX Runtime, cpu', format: 'onnx', kind: 'cpu', wasm: false, samples: 'samples' },
  { name: 'TensorFlow, cpu', format: 'tensorflow', kind: 'cpu', wasm: false, samples: 'samples' },
  { name: 'TensorFlow.js, wasm', format: 'tensorflow', kind: 'cpu', wasm: true, samples: 'wasm' },
  { name: 'ONNX Runtime, webgpu', format: 'onnx', kind: 'webgpu', wasm: false, samples: 'webgpu' },
];
const DEFAULTS = { samples: 100_000, wasm: 100_000, webgpu: 64, images: 20 };
const ROWS = 64;
/** A seed of its own for each image, and always the same. */
const streamOf = (image) => ({ key0: 0x5eed, key1: 0xa9ee, stream: image });

async function readImages(examples, count, manifest) {
  const folder = path(`examples/${examples}/`);
  const files = JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')).slice(0, count);
  const tensors = files.map(({ file }) => toInputTensor('image', readFileSync(join(folder, file)), manifest));
  return (await Promise.all(tensors)).map(({ bytes }) => Uint8Array.from(bytes));
}

/** The shipped model, and a folder with the same network in each format. */
async function prepare(name, directory) {
  const { readOnnxNetwork, onnxNetworkFile } = await support('plain-network/onnx-network');
  const { readTensorflowNetwork, tensorflowNetworkFiles } = await support('plain-network/tensorflow-network');
  const { writeModelFolder } = await support('model-folder');
  const manifest = JSON.parse(readFileSync(path(`models/${name}/manifest.json`), 'utf8'));
  const files = Object.fromEntries(
    manifest.files.map((file) => [file.path, readFileSync(path(`models/${name}/${file.path}`))]),
  );
  const network =
    manifest.engine === 'onnx' ? readOnnxNetwork(Object.values(files)[0]) : readTensorflowNetwork(files);
  const written = async (engine, made) => {
    const layout = engine === 'onnx' ? 'NCHW' : 'NHWC';
    const input = { ...manifest.input, layout };
    const options = { engine, files: engine === manifest.engine ? files : made, input, classes: 10 };
    const { folder } = await writeModelFolder(join(directory, engine, name), options);
    return folder;
  };
  const folders = {
    onnx: await written('onnx', { 'model.onnx': onnxNetworkFile(network) }),
    tensorflow: await written('tensorflow', tensorflowNetworkFiles(network)),
  };
  return { manifest, network, folders };
}

/** Classes of all samples in an engine, an array an image. */
async function classify({ format, kind, wasm }, { folders, images, sigma, samples }, base) {
  const target = { ...CPU_TARGET, kind };
  const device = { id: kind, name: kind, kind, lanes: 1, driver: null };
  const child = fork(path('bench/agreement-process.mjs'), {
    env: pinnedEnvironment(device, target, format, base, '/nowhere'),
    serialization: 'advanced',
  });
  const streams = images.map((_, index) => streamOf(index));
  child.send({ folder: folders[format], target, wasm, sigma, images, streams, samples, rows: ROWS });
  const classes = [];
  let outcome;
  child.on('message', (message) => {
    if (message.classes === undefined) outcome = message;
    else classes.push(Uint8Array.from(message.classes));
  });
  await new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      outcome === undefined ? reject(new Error(`ended with ${code}`)) : resolve(),
    );
  });
  return { classes, ...outcome };
}

const votes = (classes) => {
  const counts = Array.from({ length: 10 }, () => 0);
  for (const each of classes) counts[each] += 1;
  return counts;
};

/** Two engines on one image, for the samples that both have classified. */
function compare(first, second) {
  const samples = Math.min(first.length, second.length);
  const [one, other] = [first.subarray(0, samples), second.subarray(0, samples)];
  const differing = Array.from(one.keys()).filter((sample) => one[sample] !== other[sample]);
  const counts = votes(other);
  const change = Math.max(...votes(one).map((count, index) => Math.abs(count - counts[index])));
  return { samples, change, differing: differing.map((sample) => [sample, one[sample], other[sample]]) };
}

/** How far the classes that two engines gave to a sample are from the best score, and how far they may be. */
async function shortfalls(network, image, stream, sigma, differing) {
  const { shortfallOf } = await support('plain-network/shortfall');
  const kernel = NoiseKernel.create({ elements: image.length, rows: 1 });
  kernel.setLaw(gaussianCutpoints(sigma));
  return differing.map(([firstSample, one, other]) => {
    kernel.fill({ row: 0, rows: 1, image, stream, purpose: 'estimation', firstSample });
    return shortfallOf(network, kernel.batch, [one, other]);
  });
}

async function measure({ name, examples }, options, directory, base) {
  const { manifest, network, folders } = await prepare(name, directory);
  const sigma = manifest.smoothing.trainedSigma;
  const images = await readImages(examples, options.images, manifest);
  console.log(`\n${name}, σ ${sigma}, ${images.length} images`);
  const runs = [];
  for (const engine of ENGINES) {
    const samples = options[engine.samples];
    if (samples === 0 || (engine.kind === 'webgpu' && base === null)) continue;
    const run = await classify(engine, { folders, images, sigma, samples }, base ?? process.env);
    const { name: library, version, provider } = run.description;
    console.log(
      `${engine.name}: ${library} ${version} (${provider}), ${samples} samples an image, ${run.speed.toFixed(0)}/s`,
    );
    runs.push({ engine, classes: run.classes });
  }
  const rows = [];
  for (const [index, first] of runs.entries()) {
    for (const second of runs.slice(index + 1)) {
      const pairs = images.map((_, image) => compare(first.classes[image], second.classes[image]));
      const found = [];
      for (const [image, { differing }] of pairs.entries())
        found.push(...(await shortfalls(network, images[image], streamOf(image), sigma, differing)));
      const most = (values) => values.reduce((largest, value) => Math.max(largest, value), 0);
      rows.push({
        engines: `${first.engine.name} / ${second.engine.name}`,
        samples: pairs.reduce((sum, { samples: each }) => sum + each, 0),
        differing: found.length,
        'by image': pairs.map(({ differing }) => differing.length).join(' '),
        'largest difference of a count': most(pairs.map(({ change }) => change)),
        'widest gap': most(found.map(({ gap }) => gap)).toExponential(1),
        'by its bound': most(found.map(({ gap, bound }) => gap / bound)).toExponential(1),
        'by the spread of the scores': most(found.map(({ gap, spread }) => gap / spread)).toExponential(1),
      });
    }
  }
  for (const row of rows) console.table(Object.entries(row).map(([figure, value]) => ({ figure, value })));
  return rows;
}

/** Prints the comparison and returns its rows, by network. */
export async function run({ network = [], ...counts } = {}) {
  console.log(machine());
  buildSupport();
  const { softwareWebgpu } = await support('software-webgpu');
  const webgpu = softwareWebgpu();
  if (webgpu === null) console.log('webgpu: not measured, there is no /usr/lib/chromium with SwiftShader');
  const base = webgpu === null ? null : { ...process.env, ...webgpu };
  const directory = mkdtempSync(join(tmpdir(), 'smoothcert-agreement-'));
  const results = {};
  try {
    for (const each of NETWORKS.filter(({ name }) => network.length === 0 || network.includes(name)))
      results[each.name] = await measure(each, { ...DEFAULTS, ...counts }, directory, base);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return results;
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) {
  const string = { type: 'string' };
  const { values } = parseArgs({
    options: {
      network: { ...string, multiple: true },
      samples: string,
      wasm: string,
      webgpu: string,
      images: string,
    },
  });
  const { network, ...counts } = values;
  const numbers = Object.fromEntries(Object.entries(counts).map(([name, text]) => [name, Number(text)]));
  await run({ ...(network === undefined ? {} : { network }), ...numbers });
}
