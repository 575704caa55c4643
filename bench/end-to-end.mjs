// Certification over HTTP against bare session.run of the same model: same batch size, same number of threads, by turns
// in one run, since other work on the machine slows both. Needs `npm run build`.
//
// SMOOTHCERT_DEVICES=GPU-<uuid>   on that GPU (docs/gpu.md); the CPU without it
// BENCH_MODELS=folder,folder      ONNX models with their manifests; without it those below
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { machine } from './machine.mjs';
import { certify, memory, startService } from './service.mjs';

const MODELS = [
  { folder: 'models/mnist-cnn', goal: 0.8 },
  { folder: 'bench/models/resnet20-random', goal: 0.95 },
];
/** What a network of the size of ResNet-110 or larger should reach on a GPU. */
const OTHERS_GOAL = 0.9;
const GPU_LANES = 2;
const ROUNDS = 5;
/** Seconds of each measurement: several chunks long, so that the start of a job does not decide it. */
const SECONDS = 12;

function readModel({ folder, goal }) {
  const root = pathToFileURL(`${resolve(fileURLToPath(new URL('..', import.meta.url)), folder)}/`);
  const manifest = JSON.parse(readFileSync(new URL('manifest.json', root), 'utf8'));
  const { channels, height, width } = manifest.input;
  const path = fileURLToPath(new URL(manifest.files[0].path, root));
  return {
    folder,
    goal,
    name: manifest.name,
    path,
    shape: [channels, height, width],
    sigma: manifest.smoothing.trainedSigma,
  };
}

function modelsAsked() {
  const folders = process.env.BENCH_MODELS;
  if (!folders) return MODELS.map(readModel);
  return folders.split(',').map((folder) => readModel({ folder, goal: OTHERS_GOAL }));
}

/** The one GPU that is measured, or null. Bare sessions must compute on it, and in fp32, as the service's do. */
function pinGpu() {
  const asked = process.env.SMOOTHCERT_DEVICES || 'cpu';
  if (asked === 'cpu') return null;
  if (!/^(GPU|MIG)-[^,]+$/.test(asked))
    throw new Error('SMOOTHCERT_DEVICES must be cpu or the UUID of one GPU or MIG slice to be compared with');
  Object.assign(process.env, { CUDA_VISIBLE_DEVICES: asked, NVIDIA_TF32_OVERRIDE: '0' });
  return asked;
}

async function bare({ path, shape }, batchSize, threads, gpu) {
  const workerData = { path, shape, batchSize, milliseconds: SECONDS * 500, gpu };
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./bare-thread.mjs', import.meta.url), { workerData }),
  );
  const next = (worker) => new Promise((resolve) => worker.once('message', resolve));
  await Promise.all(workers.map(next));
  const speeds = workers.map(next);
  for (const worker of workers) worker.postMessage('go');
  return (await Promise.all(speeds)).reduce((sum, speed) => sum + speed, 0);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Prints the comparison and returns its rows. */
export async function run() {
  console.log(machine());
  const gpu = pinGpu();
  const threads = gpu === null ? availableParallelism() : GPU_LANES;
  if (gpu !== null) console.log(`on ${gpu}, ${threads} lanes`);
  const models = modelsAsked();
  const service = await startService({ models: models.map(({ folder }) => folder), lanes: threads });
  const rows = [];
  try {
    for (const model of models) {
      const request = { model: model.name, shape: model.shape, sigma: model.sigma };
      const trial = await certify(service.url, { ...request, images: 1, n: 2_000 });
      const { batchSize } = trial;
      const estimate = await bare(model, batchSize, threads, gpu !== null);
      const images = 4;
      const n = Math.max(1_000, Math.round((estimate * SECONDS) / images));
      const ratios = [];
      const speeds = [];
      const shares = { noise: 0, inference: 0, counting: 0, wall: 0 };
      for (let round = 0; round < ROUNDS; round += 1) {
        const before = await bare(model, batchSize, threads, gpu !== null);
        const done = await certify(service.url, { ...request, images, n });
        const after = await bare(model, batchSize, threads, gpu !== null);
        const speed = done.samples / done.seconds;
        speeds.push(speed);
        ratios.push(speed / ((before + after) / 2));
        for (const { timings } of service.chunks.filter(({ job }) => job === done.id)) {
          for (const part of ['noise', 'inference', 'counting']) shares[part] += timings[part] / 1000;
        }
        shares.wall += done.seconds * threads;
      }
      const share = (part) => `${((100 * shares[part]) / shares.wall).toFixed(1)} %`;
      const rest = shares.wall - shares.noise - shares.inference - shares.counting;
      rows.push({
        model: model.name,
        'batch size': batchSize,
        'samples/s': Math.round(median(speeds)),
        'to bare, median': median(ratios).toFixed(3),
        'to bare, all': ratios.map((ratio) => ratio.toFixed(2)).join(' '),
        goal: model.goal,
        noise: share('noise'),
        inference: share('inference'),
        counting: share('counting'),
        'queue and rest': `${((100 * rest) / shares.wall).toFixed(1)} %`,
      });
    }
    for (const row of rows) console.table(Object.entries(row).map(([figure, value]) => ({ figure, value })));
    console.log('Resident memory in MiB');
    console.table(memory(service.pid));
  } finally {
    await service.close();
  }
  return rows;
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) await run();
