// Certification over HTTP against the bare forward pass of the same model, on every engine and provider that this machine
// has: same batch size, same number of threads, by turns in one run, since other work on the machine slows both. Needs
// `npm run build`.
//
// SMOOTHCERT_DEVICES=GPU-<uuid>   on that GPU alone (docs/gpu.md); without it, whatever has no GPU
// BENCH_ROUNDS, BENCH_SECONDS     of each measurement
// BENCH_MODELS=folder,folder      models with their manifests; without it those below
import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { argv, env } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pinnedEnvironment } from '../dist/devices/pinned-environment.js';
import { machine } from './machine.mjs';
import { median } from './median.mjs';
import { writeResnet20 } from './resnet20-tensorflow.mjs';
import { certify, memory, startService } from './service.mjs';
import { buildSupport, support } from './support.mjs';

const NATIVE = '@tensorflow/tfjs-node-gpu';
const ROUNDS = Number(env.BENCH_ROUNDS ?? 5);
/** Seconds of each measurement: several chunks long, so that the start of a job does not decide it. */
const SECONDS = Number(env.BENCH_SECONDS ?? 12);
/** Least shares of the bare speed: overheads of 25 % on small nets, 5 % on one of the size of a CIFAR ResNet-20. */
const SMALL = 0.8;
const RESNET = 0.95;

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/** What a network of the size of ResNet-110 or larger should reach on a GPU. */
const OTHERS = 0.9;

/** Models that BENCH_MODELS names, by engine, or those that are measured without it. */
function modelsOf(engine, otherwise) {
  const folders = env.BENCH_MODELS?.split(',').map((folder) => resolve(path('.'), folder));
  if (folders === undefined) return otherwise;
  return folders
    .filter((folder) => JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')).engine === engine)
    .map((folder) => ({ folder, goal: OTHERS }));
}

/** The services to measure, each with the models that it runs and whatever it needs; `missing` says why one cannot be. */
async function subjects(folder) {
  const { installWithoutBinding } = await support('installation');
  const { softwareWebgpu } = await support('software-webgpu');
  const webgpu = softwareWebgpu();
  const resnet20 = join(folder, 'resnet20-tensorflow');
  const tensorflow = modelsOf('tensorflow', [
    { folder: path('models/fashion-mnist-tensorflow'), goal: SMALL },
    { folder: resnet20, goal: RESNET },
  ]);
  const onnx = modelsOf('onnx', [
    { folder: path('models/mnist-cnn'), goal: SMALL },
    { folder: path('bench/models/resnet20-random'), goal: RESNET },
  ]);
  const asked = env.SMOOTHCERT_DEVICES || 'cpu';
  if (/^(GPU|MIG)-[^,]+$/.test(asked)) {
    const gpu = { provider: 'cuda', device: { kind: 'cuda', id: asked, lanes: 2 } };
    return [
      { ...gpu, name: 'onnx', models: onnx },
      { ...gpu, name: 'tensorflow', models: tensorflow },
    ];
  }
  if (asked !== 'cpu') {
    throw new Error('SMOOTHCERT_DEVICES must be cpu or the UUID of one GPU or MIG slice to be compared with');
  }
  const cpu = { kind: 'cpu', lanes: availableParallelism() };
  const native = existsSync(path(`node_modules/${NATIVE}/lib/napi-v8/tfjs_binding.node`));
  return [
    { name: 'onnx', provider: 'cpu', models: onnx, device: cpu },
    {
      name: 'tensorflow',
      provider: 'cpu',
      models: tensorflow,
      device: cpu,
      missing: native ? null : 'npm run tensorflow builds its binding',
    },
    {
      name: 'tensorflow',
      provider: 'wasm',
      models: tensorflow,
      device: cpu,
      install: (where) => installWithoutBinding(where, path('.')),
      variables: { SMOOTHCERT_TENSORFLOW_WASM: 'allow' },
    },
    {
      name: 'onnx',
      provider: 'webgpu',
      models: onnx.slice(0, 1),
      device: { kind: 'webgpu', lanes: 1 },
      variables: { SMOOTHCERT_DEVICES: 'webgpu', ...webgpu },
      missing: webgpu === null ? 'there is no SwiftShader' : null,
    },
  ];
}

function readModel({ folder, goal }) {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const { channels, height, width, layout } = manifest.input;
  const shape = layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
  const [{ path: file }] = manifest.files;
  return { folder, goal, name: manifest.name, file, shape, sigma: manifest.smoothing.trainedSigma };
}

/** Samples a second of as many processes as there are lanes, each with the network alone. */
async function bare(subject, { folder, file, shape }, batchSize) {
  const { name: engine, provider, device, variables = {} } = subject;
  const target = { kind: device.kind, precision: 'fp32', tensorrt: false, wasm: false };
  // A GPU is one device however many threads ask it.
  const processes = device.kind === 'cpu' ? device.lanes : 1;
  const pinned = pinnedEnvironment({ id: device.id ?? device.kind, kind: device.kind }, target, engine, {
    ...env,
    ...variables,
  });
  const children = Array.from({ length: processes }, () =>
    fork(path('bench/bare-process.mjs'), { env: pinned, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
  );
  const next = (child) =>
    new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`a bare process ended with ${code}`)));
    });
  const task = { engine, provider, folder, file, shape, batchSize, milliseconds: SECONDS * 500 };
  for (const child of children) child.send(task);
  await Promise.all(children.map(next));
  const speeds = children.map(next);
  for (const child of children) child.send('go');
  return (await Promise.all(speeds)).reduce((sum, speed) => sum + speed, 0);
}

async function compare(service, subject, model) {
  const { lanes } = subject.device;
  const request = { model: model.name, shape: model.shape, sigma: model.sigma };
  const { batchSize, engine } = await certify(service.url, { ...request, images: 1, n: 1_000 });
  if (engine.provider !== subject.provider) throw new Error(`${engine.provider} is not ${subject.provider}`);
  const images = 4;
  const n = Math.max(200, Math.round(((await bare(subject, model, batchSize)) * SECONDS) / images));
  const ratios = [];
  const speeds = [];
  const alone = [];
  const shares = { noise: 0, inference: 0, counting: 0, wall: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await bare(subject, model, batchSize);
    const done = await certify(service.url, { ...request, images, n });
    const after = await bare(subject, model, batchSize);
    const speed = done.samples / done.seconds;
    speeds.push(speed);
    alone.push((before + after) / 2);
    ratios.push(speed / ((before + after) / 2));
    for (const { timings } of service.chunks.filter(({ job }) => job === done.id)) {
      for (const part of ['noise', 'inference', 'counting']) shares[part] += timings[part] / 1000;
    }
    shares.wall += done.seconds * lanes;
  }
  const share = (part) => `${((100 * shares[part]) / shares.wall).toFixed(1)} %`;
  const rest = shares.wall - shares.noise - shares.inference - shares.counting;
  return {
    engine: `${engine.name} ${engine.version}`,
    provider: engine.provider,
    model: model.name,
    'batch size': batchSize,
    'bare samples/s': Math.round(median(alone)),
    'samples/s': Math.round(median(speeds)),
    'to bare, median': median(ratios).toFixed(3),
    'to bare, all': ratios.map((ratio) => ratio.toFixed(2)).join(' '),
    goal: model.goal,
    noise: share('noise'),
    inference: share('inference'),
    counting: share('counting'),
    'queue and rest': `${((100 * rest) / shares.wall).toFixed(1)} %`,
  };
}

/**
 * Prints the comparison and returns its rows.
 *
 * @param only engines and providers to measure, as "onnx/cpu"; all of them if it is empty
 */
export async function run(only = []) {
  console.log(machine());
  const folder = mkdtempSync(join(tmpdir(), 'smoothcert-bench-'));
  const rows = [];
  try {
    await writeResnet20(join(folder, 'resnet20-tensorflow'));
    buildSupport();
    for (const subject of await subjects(folder)) {
      const name = `${subject.name}/${subject.provider}`;
      if (only.length > 0 && !only.includes(name)) continue;
      if (subject.missing) {
        console.log(`${name}: not run, ${subject.missing}`);
        continue;
      }
      const models = subject.models.map(readModel);
      const installation = subject.install && join(folder, 'installation');
      await subject.install?.(installation);
      const service = await startService({
        models: models.map((model) => model.folder),
        lanes: subject.device.lanes,
        variables: subject.variables,
        installation,
      });
      try {
        for (const model of models) {
          const row = await compare(service, subject, model);
          rows.push(row);
          console.table(Object.entries(row).map(([figure, value]) => ({ figure, value })));
        }
        console.log(`Resident memory in MiB, ${name}`);
        console.table(memory(service.pid));
      } finally {
        await service.close();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) await run(argv.slice(2));
