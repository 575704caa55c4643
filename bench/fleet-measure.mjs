// What a job, an input and a chunk cost Redis, the API and a worker process, as processor time: other work on the machine
// does not change it. Redis (with docker/redis.conf, over TCP), `smoothcert api` and `smoothcert worker` run apart.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import protobuf from 'protobufjs';
import sharp from 'sharp';
import { locateServer } from '../dist/redis/embedded/locate-server.js';
import { DEFAULT_OWNER } from '../dist/jobs/job-ref.js';
import { createKeys } from '../dist/jobs/keys.js';
import { createPresence } from '../dist/jobs/presence.js';
import { createSamplingStore } from '../dist/jobs/sampling-store.js';
import { fit } from './fleet-model.mjs';

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

export const SHAPES = [
  { name: '28x28x1', side: 28, channels: 1 },
  { name: '32x32x3', side: 32, channels: 3 },
  { name: '224x224x3', side: 224, channels: 3 },
];

/** Jobs, inputs in all, chunks in all of each run, and what is solved for. Few chunks an input and many, one job and many. */
const RUNS = [
  { jobs: 1, inputs: 20, chunks: 40 },
  { jobs: 1, inputs: 20, chunks: 600 },
  { jobs: 1, inputs: 100, chunks: 200 },
  { jobs: 60, inputs: 60, chunks: 120 },
];
const NAMES = ['jobs', 'inputs', 'chunks'];
const SAMPLES = { n0: 10, n: 390 };
const IDLE_SECONDS = 10;
/** Seldom enough to cost nothing that shows, often against the five seconds between two words of the worker. */
const ANNOUNCED_MILLISECONDS = 100;
/** The worker's own word may come just before a job is cut into chunks: such a run does not count. */
const ATTEMPTS = 10;

/** An ONNX file whose scores are the mean brightness of each channel's upper and lower half. */
function tinyOnnx({ side, channels }) {
  const { root } = protobuf.parse(
    `syntax = "proto3";
    message Attribute { string name = 1; int64 i = 3; repeated int64 ints = 8; int32 type = 20; }
    message Node { repeated string input = 1; repeated string output = 2; string op_type = 4; repeated Attribute attribute = 5; }
    message Dimension { int64 dim_value = 1; string dim_param = 2; }
    message Shape { repeated Dimension dim = 1; }
    message Tensor { int32 elem_type = 1; Shape shape = 2; }
    message Type { Tensor tensor_type = 1; }
    message Value { string name = 1; Type type = 2; }
    message Graph { repeated Node node = 1; string name = 2; repeated Value input = 11; repeated Value output = 12; }
    message Opset { string domain = 1; int64 version = 2; }
    message Model { int64 ir_version = 1; Graph graph = 7; repeated Opset opset_import = 8; }`,
    {
      keepCase: true,
    },
  );
  const value = (name, dims) => {
    const dim = [{ dim_param: 'batch' }, ...dims.map((each) => ({ dim_value: each }))];
    return { name, type: { tensor_type: { elem_type: 1, shape: { dim } } } };
  };
  const ints = (name, values) => ({ name, ints: values, type: 7 });
  const window = [side / 2, side];
  const Model = root.lookupType('Model');
  const graph = {
    name: 'halves',
    node: [
      {
        op_type: 'AveragePool',
        input: ['image'],
        output: ['means'],
        attribute: [ints('kernel_shape', window), ints('strides', window)],
      },
      {
        op_type: 'Flatten',
        input: ['means'],
        output: ['scores'],
        attribute: [{ name: 'axis', i: 1, type: 2 }],
      },
    ],
    input: [value('image', [channels, side, side])],
    output: [value('scores', [2 * channels])],
  };
  return Model.encode(
    Model.fromObject({ ir_version: 8, graph, opset_import: [{ domain: '', version: 17 }] }),
  ).finish();
}

function writeModel(folder, shape) {
  mkdirSync(folder, { recursive: true });
  const bytes = tinyOnnx(shape);
  writeFileSync(join(folder, 'model.onnx'), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { side, channels } = shape;
  const manifest = {
    manifestVersion: 1,
    name: `halves-${shape.name}`,
    version: '1.0.0',
    description: 'Brightness of halves.',
    license: 'Apache-2.0',
    engine: 'onnx',
    files: [{ path: 'model.onnx', sha256, bytes: bytes.length }],
    input: {
      height: side,
      width: side,
      channels,
      layout: 'NCHW',
      colourSpace: channels === 1 ? 'grey' : 'rgb',
    },
    output: {
      classes: 2 * channels,
      labels: Array.from({ length: 2 * channels }, (_, index) => `half ${index}`),
    },
    smoothing: { trainedSigma: 0.5 },
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
}

/** Image `index`, a gradient with grain, base64: PNG, and JPEG where photographs are as large. */
async function image({ side, channels }, index) {
  const pixels = Buffer.alloc(side * side * channels);
  for (let at = 0; at < pixels.length; at += 1) {
    const column = Math.floor(at / channels) % side;
    pixels[at] = (100 * column) / side + ((at * 7919 + index * 104_729) % 31) + index;
  }
  const picture = sharp(pixels, { raw: { width: side, height: side, channels } });
  if (channels === 1) picture.toColourspace('b-w');
  return (await (side > 100 ? picture.jpeg({ quality: 90 }) : picture.png()).toBuffer()).toString('base64');
}

/** Processor seconds that a process itself has used, without its children. */
function processorSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function startProcess(command, variables, ready, heard = () => undefined) {
  const child = spawn(process.execPath, [path('dist/main/cli.js'), command], {
    cwd: path('.'),
    env: { ...process.env, LOG_LEVEL: 'info', ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let last = '';
  const started = new Promise((resolve, reject) => {
    void exited.then((code) => reject(new Error(`${command} ended with ${code}: ${last}`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      last = line;
      const entry = line.startsWith('{') ? JSON.parse(line) : {};
      if (entry.event === ready) resolve(entry);
      heard(entry);
    });
  });
  const close = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  return { pid: child.pid, started, close };
}

/** Redis, API and worker with the models of all shapes. */
export async function startFleetService() {
  const folder = mkdtempSync(join(tmpdir(), 'smoothcert-fleet-'));
  const closers = [async () => rmSync(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.toReversed()) await closer();
  };
  try {
    for (const shape of SHAPES) writeModel(join(folder, 'models', shape.name), shape);
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const { executable } = await locateServer({
      cacheDirectory: path('.redis'),
      searchPath: process.env.PATH ?? '',
      allowFetch: true,
      logger,
    });
    const port = await freePort();
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
    const server = spawn(executable, [path('docker/redis.conf'), ...settings], { stdio: 'ignore' });
    const ended = new Promise((resolve) => server.once('exit', resolve));
    closers.push(async () => {
      server.kill('SIGTERM');
      await ended;
    });
    const redis = new Redis({ port, host: '127.0.0.1', replyMapping: 'legacy', maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
    closers.push(async () => redis.disconnect());
    await redis.ping();
    const variables = {
      REDIS_URL: `redis://127.0.0.1:${port}`,
      SMOOTHCERT_MODELS_DIR: join(folder, 'models'),
      SMOOTHCERT_PORT: '0',
      SMOOTHCERT_DEVICES: 'cpu',
      SMOOTHCERT_LANES: '1',
    };
    /** Names of the chunks drawn so far. */
    const drawn = [];
    const worker = startProcess('worker', { ...variables, LOG_LEVEL: 'debug' }, 'worker_ready', (entry) => {
      if (entry.event === 'chunk_drawn') drawn.push(`${entry.job} ${entry.chunk}`);
    });
    closers.push(worker.close);
    await worker.started;
    const api = startProcess('api', variables, 'api_listening');
    closers.push(api.close);
    const { url } = await api.started;
    const keys = createKeys('smoothcert');
    return { url, redis, keys, folder, drawn, api: api.pid, worker: worker.pid, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Announces the worker with a speed at which a chunk has just `samples`, a second of work, in batches of one; again and again,
 * since the worker announces itself too. Nothing of the product is changed. Answers what ends it.
 */
async function setChunkSize({ redis, keys }, model, samples) {
  const presence = createPresence(redis, keys);
  const announce = async () => {
    const [status] = await presence.livingWorkers();
    if (status === undefined) return;
    for (const device of status.devices) {
      device.lanes = 1;
      for (const { models } of device.hosts) {
        for (const each of models.filter(({ name }) => name === model)) {
          each.samplesPerSecond = samples;
          each.batchSize = 1;
        }
      }
    }
    await presence.announce(status);
  };
  await announce();
  const timer = setInterval(() => void announce().catch(() => undefined), ANNOUNCED_MILLISECONDS);
  return () => clearInterval(timer);
}

async function meter({ redis, api, worker }) {
  const info = Object.fromEntries((await redis.info()).split('\r\n').map((line) => line.split(':')));
  return {
    redis: 1000 * (Number(info.used_cpu_user) + Number(info.used_cpu_sys)),
    api: 1000 * processorSeconds(api),
    worker: 1000 * processorSeconds(worker),
    bytes: Number(info.total_net_input_bytes) + Number(info.total_net_output_bytes),
    seconds: performance.now() / 1000,
    pid: Number(info.process_id),
  };
}

const METERS = ['redis', 'api', 'worker', 'bytes'];
const minus = (after, before) =>
  Object.fromEntries([...METERS, 'seconds'].map((name) => [name, after[name] - before[name]]));

/** What a run takes that is cut into about as many chunks as it asks for; `chunks` are those that it had. */
async function measureRun(service, shape, run) {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const first = service.drawn.length;
    const used = await attemptRun(service, shape, run);
    const chunks = new Set(service.drawn.slice(first)).size;
    if (Math.abs(chunks - run.chunks) <= run.chunks / 10) return { ...used, chunks };
    console.log(`a run of ${run.chunks} chunks had ${chunks}: once more`);
  }
  throw new Error(`no run of ${ATTEMPTS} had about ${run.chunks} chunks`);
}

/** Submits `jobs` jobs, all at once, and waits for their end; answers what that took. */
async function attemptRun(service, shape, { jobs, inputs, chunks, samples = SAMPLES }) {
  const model = `halves-${shape.name}`;
  const perJob = inputs / jobs;
  const images = await Promise.all(Array.from({ length: inputs }, (_, index) => image(shape, index)));
  const bodies = Array.from({ length: jobs }, (_, job) =>
    JSON.stringify({
      model,
      parameters: { sigma: 0.5, ...samples },
      inputs: images.slice(job * perJob, (job + 1) * perJob).map((each) => ({ image: each })),
    }),
  );
  const stop = await setChunkSize(service, model, ((samples.n0 + samples.n) * inputs) / chunks);
  try {
    return await measureJobs(service, bodies);
  } finally {
    stop();
  }
}

async function measureJobs(service, bodies) {
  const { url, redis, keys } = service;
  const before = await meter(service);
  const ids = await Promise.all(
    bodies.map(async (body) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/v1/certifications`, { method: 'POST', headers, body });
      if (answer.status !== 202) throw new Error(await answer.text());
      return (await answer.json()).id;
    }),
  );
  for (const id of ids) {
    for (;;) {
      const status = await redis.hget(keys.job({ owner: DEFAULT_OWNER, id }), 'status');
      if (status === 'succeeded') break;
      if (status !== 'queued' && status !== 'running') throw new Error(`${id} is ${status}`);
      await sleep(100);
    }
  }
  return minus(await meter(service), before);
}

/** Milliseconds and bytes a second while nothing is to do: heartbeats, and consumers that ask for work. */
export async function measureIdle(service) {
  const before = await meter(service);
  await sleep(IDLE_SECONDS * 1000);
  const used = minus(await meter(service), before);
  return Object.fromEntries(METERS.map((name) => [name, used[name] / used.seconds]));
}

/** Cost of a job, an input and a chunk at a shape: `cost[meter] = { jobs, inputs, chunks }`. */
export async function measureShape(service, shape, idle) {
  await measureRun(service, shape, RUNS[0]);
  const rows = [];
  for (const run of [...RUNS, ...RUNS]) {
    const used = await measureRun(service, shape, run);
    rows.push({ run: { ...run, chunks: used.chunks }, used });
  }
  const cost = {};
  for (const name of METERS) {
    const solved = fit(
      rows.map(({ run, used }) => ({
        x: NAMES.map((each) => run[each]),
        y: used[name] - idle[name] * used.seconds,
      })),
    );
    // The processors' clock ticks every 10 ms: what is too small to be seen is nothing.
    cost[name] = Object.fromEntries(NAMES.map((each, index) => [each, Math.max(0, solved[index])]));
  }
  return cost;
}

/** Cost of a chunk of one input that has `chunks` of them. */
export async function measureLongInput(service, shape, idle, chunks) {
  const samples = { n0: 10, n: 8 * chunks - 10 };
  const used = await measureRun(service, shape, { jobs: 1, inputs: 1, chunks, samples });
  return Object.fromEntries(
    METERS.map((name) => [name, (used[name] - idle[name] * used.seconds) / used.chunks]),
  );
}

/** Cost of one write of progress; the worker's share is this process's, which makes the same call. */
export async function measureProgress(service) {
  const { redis, keys } = service;
  const store = createSamplingStore(redis, keys);
  const job = { owner: DEFAULT_OWNER, id: 'cert_progress', binding: 0 };
  await redis.hset(keys.job(job), 'status', 'running', 'drawn', 0);
  const calls = 2_000;
  for (let drawn = 1; drawn <= 200; drawn += 1) await store.record(job, 0, drawn, null);
  const before = await meter(service);
  const own = process.cpuUsage();
  for (let drawn = 1; drawn <= calls; drawn += 1) await store.record(job, 0, 1_000 + drawn, null);
  const { user, system } = process.cpuUsage(own);
  const { redis: milliseconds, bytes } = minus(await meter(service), before);
  await redis.del(keys.job(job), keys.drawn(job));
  return { redis: milliseconds / calls, worker: (user + system) / 1000 / calls, bytes: bytes / calls };
}

/** Syncs of the append-only file for a job, an input and a chunk, counted by strace; null where there is none. */
export async function countSyncs(service) {
  try {
    execFileSync('strace', ['-V'], { stdio: 'ignore' });
  } catch {
    return null;
  }
  const rows = [];
  for (const run of RUNS) {
    const { pid } = await meter(service);
    const report = join(service.folder, 'syncs.txt');
    const tracer = spawn(
      'strace',
      ['-f', '-c', '-e', 'trace=fdatasync,fsync', '-o', report, '-p', String(pid)],
      {
        stdio: 'ignore',
      },
    );
    const ended = new Promise((resolve) => tracer.once('exit', resolve));
    await sleep(500);
    const { chunks } = await measureRun(service, SHAPES[0], run);
    tracer.kill('SIGINT');
    await ended;
    const counted = readFileSync(report, 'utf8').matchAll(
      /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+).*f(?:data)?sync$/gm,
    );
    const syncs = [...counted].reduce((sum, [, calls]) => sum + Number(calls), 0);
    if (syncs === 0) return null;
    const counts = { ...run, chunks };
    rows.push({ x: NAMES.map((each) => counts[each]), y: syncs });
  }
  const solved = fit(rows);
  return Object.fromEntries(NAMES.map((name, index) => [name, Math.max(0, solved[index])]));
}

/** Median milliseconds of an appended 1 KiB and its sync, in the folder of the append-only file. */
export function measureSync({ folder }) {
  const file = openSync(join(folder, 'sync.bin'), 'a');
  const times = Array.from({ length: 200 }, () => {
    const start = performance.now();
    writeSync(file, Buffer.alloc(1024));
    fdatasyncSync(file);
    return performance.now() - start;
  });
  closeSync(file);
  return times.toSorted((a, b) => a - b)[100];
}
