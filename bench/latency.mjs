// How long a small job takes beside large ones, and how long a large one takes to be cancelled:
//
//   LATENCY_ROUNDS=5 npm run bench -- latency
//
// By turns in each round: the small job alone, behind one of 500 million samples, and behind that one and ten of 2 million.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { machine } from './machine.mjs';
import { median } from './median.mjs';
import { send, startService } from './service.mjs';

const ROUNDS = Math.min(50, Number(process.env.LATENCY_ROUNDS ?? 5));
const MODEL = 'mnist-cnn';
const image = readFileSync(new URL('../examples/mnist/00000.png', import.meta.url), 'base64');
const SMALL = { inputs: 1, n0: 100, n: 10_000 };
const MIDDLE = { inputs: 2, n0: 100, n: 1_000_000 };
const LARGE = { inputs: 50, n0: 100, n: 10_000_000 };
const WARM_UP_JOBS = 2;

export async function run() {
  console.log(machine());
  const service = await startService({ models: [`models/${MODEL}`], lanes: 2 });
  try {
    await measure(service.url);
  } finally {
    await service.close();
  }
}

async function measure(url) {
  const call = async (path, body) => {
    const response = await send(url + path, body);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const submit = async ({ inputs, n0, n }) => {
    const job = await call('/v1/certifications', {
      model: MODEL,
      parameters: { sigma: 0.5, n0, n },
      inputs: Array.from({ length: inputs }, () => ({ image })),
    });
    return job.links.self;
  };
  const until = async (path, holds) => {
    for (;;) {
      const job = await call(path);
      if (holds(job)) return job;
      await delay(5);
    }
  };
  const ended = ({ finishedAt }) => finishedAt !== null;
  /** Seconds from the submission of a small job to its end, as its client sees them. */
  const small = async () => {
    const before = performance.now();
    await until(await submit(SMALL), ended);
    return (performance.now() - before) / 1000;
  };
  /** Seconds until a job reads `cancelled` after it was asked for. */
  const cancel = async (path) => {
    const before = performance.now();
    await call(`${path}/cancel`, {});
    const job = await until(path, ended);
    if (job.status !== 'cancelled') throw new Error(`${path} is ${job.status}`);
    return (performance.now() - before) / 1000;
  };
  const drawing = ({ progress }) => progress.samplesDrawn > 0;

  for (let job = 0; job < WARM_UP_JOBS; job += 1) await small();
  const seconds = { alone: [], 'behind one of 500 M': [], 'behind it and ten of 2 M': [] };
  const cancelled = { 'one of 500 M beside ten of 2 M': [], 'ten of 2 M': [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    seconds.alone.push(await small());
    const large = await submit(LARGE);
    await until(large, drawing);
    seconds['behind one of 500 M'].push(await small());
    const middle = [];
    for (let job = 0; job < 10; job += 1) middle.push(await submit(MIDDLE));
    await until(middle.at(-1), drawing);
    seconds['behind it and ten of 2 M'].push(await small());
    cancelled['one of 500 M beside ten of 2 M'].push(await cancel(large));
    for (const path of middle) {
      if (!ended(await call(path))) cancelled['ten of 2 M'].push(await cancel(path));
    }
  }
  const show = (values) =>
    `${median(values).toFixed(2)} s, at most ${Math.max(...values).toFixed(2)} s (of ${values.length})`;
  console.log(`a job of ${SMALL.inputs * (SMALL.n0 + SMALL.n)} samples of ${MODEL}, median and worst:`);
  for (const [where, values] of Object.entries(seconds)) console.log(`  ${where}: ${show(values)}`);
  console.log('from the request to cancel to `cancelled`:');
  for (const [what, values] of Object.entries(cancelled)) console.log(`  ${what}: ${show(values)}`);
}
