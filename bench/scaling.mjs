// One lane, two lanes of one worker, and two workers of one lane each that share a Redis, by turns in one run: what the
// second core is worth. Needs `npm run build` and two cores.
import { argv } from 'node:process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { machine } from './machine.mjs';
import { median } from './median.mjs';
import { certify, startService, startWorker } from './service.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 12);
const IMAGES = 4;
const MODELS = [
  { folder: 'models/mnist-cnn', name: 'mnist-cnn', shape: [1, 28, 28], sigma: 0.5 },
  { folder: 'bench/models/resnet20-random', name: 'resnet20-random', shape: [3, 32, 32], sigma: 0.25 },
];

/** Samples a second of a service with so many lanes, and perhaps a second worker. */
async function measure(model, lanes, workers, samples) {
  const service = await startService({ models: [resolve(model.folder)], lanes });
  const second = workers === 2 ? await startWorker(service, lanes) : null;
  try {
    const request = { model: model.name, shape: model.shape, sigma: model.sigma };
    await certify(service.url, { ...request, images: 1, n: 1_000 });
    const done = await certify(service.url, { ...request, images: IMAGES, n: Math.ceil(samples / IMAGES) });
    return done.samples / done.seconds;
  } finally {
    await second?.close();
    await service.close();
  }
}

/** Prints the comparison and returns its rows. */
export async function run() {
  console.log(machine());
  const rows = [];
  for (const model of MODELS) {
    const samples = SECONDS * (await measure(model, 1, 1, 4_000));
    const ratios = { lanes: [], workers: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = await measure(model, 1, 1, samples);
      const lanes = await measure(model, 2, 1, 2 * samples);
      const workers = await measure(model, 1, 2, 2 * samples);
      const after = await measure(model, 1, 1, samples);
      ratios.lanes.push((2 * lanes) / (before + after));
      ratios.workers.push((2 * workers) / (before + after));
    }
    rows.push({
      model: model.name,
      'two lanes to one, median': median(ratios.lanes).toFixed(2),
      'two lanes to one, all': ratios.lanes.map((ratio) => ratio.toFixed(2)).join(' '),
      'two workers to one, median': median(ratios.workers).toFixed(2),
      'two workers to one, all': ratios.workers.map((ratio) => ratio.toFixed(2)).join(' '),
    });
  }
  for (const row of rows) console.table(Object.entries(row).map(([figure, value]) => ({ figure, value })));
  return rows;
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) await run();
