// 64 GPUs on paper, with the queue's costs as measured here: what saturates first, and how well one job fills them.
// Needs `npm run build`, and `strace` for the number of disk syncs.
import { argv } from 'node:process';
import { pathToFileURL } from 'node:url';
import { chunkSize, chunkWindow } from '../dist/jobs/chunk-size.js';
import {
  countSyncs,
  measureIdle,
  measureLongInput,
  measureProgress,
  measureShape,
  measureSync,
  SHAPES,
  startFleetService,
} from './fleet-measure.mjs';
import { hosts, load, rates, saturation, simulate } from './fleet-model.mjs';
import { machine } from './machine.mjs';

const GPUS = 64;
const GPUS_PER_WORKER = 8;
/** Given, not measured: samples a second of one GPU. The last is about all that one core makes noise for, at a small σ. */
const NETS = [
  { name: 'ResNet-50', shape: '224x224x3', speed: 2_500 },
  { name: 'ResNet-110 (CIFAR)', shape: '32x32x3', speed: 25_000 },
  { name: 'small net (CIFAR)', shape: '32x32x3', speed: 280_000 },
];
const JOB_INPUTS = [1, 10, 100];
/** n0 = 100 and n = 100,000. */
const SAMPLES = 100_100;
/** Assumed of the fleet, not measured: a sync of a server's disk, a journey to Redis and back, its network. */
const SYNC_SECONDS = 0.001;
const ROUND_TRIP_SECONDS = 0.0002;
const NETWORK_BYTES = 10e9 / 8;
/** Noise values that one core makes a second at σ = 1 (bench noise), and the lanes of a GPU that make them. */
const NOISE_VALUES = 675e6;
const LANES = 2;

const percent = (share) => (share === Infinity ? '-' : `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`);

/** Costs by resource and rate, in seconds (bytes for the network) of what `rates` counts. */
function resources({ shape, idle, progress, syncs }) {
  const seconds = (name) => ({
    jobs: shape[name].jobs / 1000,
    inputs: shape[name].inputs / 1000,
    chunks: name === 'api' ? 0 : shape[name].chunks / 1000,
    progress: (progress[name] ?? 0) / 1000,
    devices: name === 'api' ? 0 : idle[name] / 1000,
  });
  return {
    redis: seconds('redis'),
    api: seconds('api'),
    worker: seconds('worker'),
    network: { ...shape.bytes, progress: progress.bytes, devices: idle.bytes },
    syncs: syncs === null ? null : { ...syncs, progress: 1, devices: 0 },
  };
}

function paper(net, inputs, cost) {
  const elements = SHAPES.filter(({ name }) => name === net.shape).map(
    ({ side, channels }) => side ** 2 * channels,
  );
  const at = (gpus) => rates({ gpus, speed: net.speed, inputs, samples: SAMPLES }, chunkSize);
  const use = {
    "Redis's core": (gpus) => load(cost.redis, at(gpus)),
    "a worker's core": (gpus) => load(cost.worker, at(gpus)) / Math.ceil(gpus / GPUS_PER_WORKER),
    "the API's core": (gpus) => load(cost.api, at(gpus)),
    network: (gpus) => load(cost.network, at(gpus)) / NETWORK_BYTES,
    'noise lanes': () => (net.speed * elements[0]) / NOISE_VALUES / LANES,
  };
  const rate = at(GPUS);
  return {
    rate,
    use: Object.fromEntries(Object.entries(use).map(([name, each]) => [name, each(GPUS)])),
    full: Object.fromEntries(Object.entries(use).map(([name, each]) => [name, saturation(each, 2 ** 16)])),
    // Each write in an event loop of its own: more than that are written together and synced once.
    syncs: cost.syncs === null ? null : load(cost.syncs, rate),
  };
}

/** Seconds and share of the devices' speed of one job that has them to itself. */
function oneJob(net, inputs, cost, speeds) {
  const total = inputs * SAMPLES;
  const size = chunkSize(total, hosts(speeds));
  const chunks = Array.from({ length: Math.ceil(total / size) }, (_, index) =>
    Math.min(size, total - index * size),
  );
  const write = SYNC_SECONDS + ROUND_TRIP_SECONDS;
  // A third of a chunk's processor time each: queue it, take it, record it. Only a window of them is queued before the first is
  // drawn; whoever records one queues another.
  const third = { redis: cost.redis.chunks / 3, worker: cost.worker.chunks / 3 };
  const start =
    cost.api.jobs +
    cost.redis.jobs +
    cost.worker.jobs +
    6 * write +
    inputs * (cost.api.inputs + cost.redis.inputs + cost.worker.inputs + write + 4 * ROUND_TRIP_SECONDS) +
    Math.min(chunks.length, chunkWindow(GPUS)) * (third.redis + third.worker);
  const queued = chunks.length > chunkWindow(GPUS) ? 1 : 0;
  const { makespan, drawn } = simulate({
    speeds,
    chunks,
    start,
    take: { ...third, delay: write + 3 * ROUND_TRIP_SECONDS },
    record: {
      redis: (1 + queued) * third.redis,
      worker: (1 + queued) * third.worker,
      delay: (2 + queued) * write + 3 * ROUND_TRIP_SECONDS,
    },
    devicesPerWorker: GPUS_PER_WORKER,
  });
  const speed = speeds.reduce((sum, each) => sum + each, 0);
  return {
    net: net.name,
    inputs,
    chunks: chunks.length,
    'devices used': drawn.filter((each) => each > 0).length,
    'ideal, s': ((inputs * SAMPLES) / speed).toFixed(2),
    'before the first, s': start.toFixed(2),
    'job, s': makespan.toFixed(2),
    efficiency: percent((inputs * SAMPLES) / speed / makespan),
    'while drawing': percent((inputs * SAMPLES) / speed / (makespan - start)),
  };
}

/** The four speeds of an unequal fleet: as many devices each of 1, 3/4, 1/2 and 1/4 of the speed. */
const unequal = ({ speed }) => Array.from({ length: GPUS }, (_, index) => speed * (1 - (index % 4) / 4));
const equal = ({ speed }) => Array.from({ length: GPUS }, () => speed);

async function measure() {
  const service = await startFleetService();
  try {
    const idle = await measureIdle(service);
    const shapes = new Map();
    for (const shape of SHAPES) shapes.set(shape.name, await measureShape(service, shape, idle));
    const long = [];
    for (const chunks of [100, 500, 2_000])
      long.push({ chunks, ...(await measureLongInput(service, SHAPES[0], idle, chunks)) });
    const progress = await measureProgress(service);
    const sync = measureSync(service);
    return { idle, shapes, long, progress, sync, syncs: await countSyncs(service) };
  } finally {
    await service.close();
  }
}

/** Prints the tables and one sentence; returns what was measured. */
export async function run() {
  console.log(machine());
  const measured = await measure();
  const { idle, shapes, long, progress, sync, syncs } = measured;
  const fixed = (value, digits = 2) => Number(value.toFixed(digits));
  console.log('Processor milliseconds, and KiB from and to Redis');
  const costs = [...shapes].flatMap(([shape, cost]) =>
    ['jobs', 'inputs', 'chunks'].map((each) => ({
      shape,
      of: each,
      Redis: fixed(cost.redis[each]),
      worker: fixed(cost.worker[each]),
      API: each === 'chunks' ? 0 : fixed(cost.api[each]),
      KiB: fixed(cost.bytes[each] / 1024, 1),
    })),
  );
  const others = [
    { shape: '', of: 'write of progress', ...progress },
    { shape: '', of: 'idle device, a second', ...idle },
    ...long.map(({ chunks, ...cost }) => ({
      shape: '28x28x1',
      of: `chunk of an input of ${chunks}`,
      ...cost,
    })),
  ].map(({ shape, of, redis, worker, bytes }) => ({
    shape,
    of,
    Redis: fixed(redis),
    worker: fixed(worker),
    API: 0,
    KiB: fixed(bytes / 1024, 1),
  }));
  console.table([...costs, ...others]);
  console.log(
    `Syncs of the append-only file: ${sync.toFixed(1)} ms each on this disk, ${SYNC_SECONDS * 1000} ms assumed below;`,
  );
  console.log(
    syncs === null
      ? 'not counted: no strace'
      : `counted: ${JSON.stringify(syncs, (_, value) => (typeof value === 'number' ? fixed(value, 1) : value))}`,
  );

  const rows = [];
  let first = { devices: Infinity };
  for (const net of NETS) {
    const cost = resources({ shape: shapes.get(net.shape), idle, progress, syncs });
    for (const inputs of JOB_INPUTS) {
      const { rate, use, full, syncs: perSecond } = paper(net, inputs, cost);
      const [resource, devices] = Object.entries(full).toSorted(([, a], [, b]) => a - b)[0];
      if (devices < first.devices) first = { resource, devices, net: net.name, inputs };
      rows.push({
        net: net.name,
        'inputs a job': inputs,
        'chunk, s': fixed(rate.chunkSeconds),
        'chunks/s': fixed(rate.chunks, 1),
        'inputs/s': fixed(rate.inputs, 1),
        ...Object.fromEntries(Object.entries(use).map(([name, share]) => [name, percent(share)])),
        'syncs/s at most': perSecond === null ? '-' : fixed(perSecond, 0),
        'first full': `${resource} at ${devices}`,
      });
    }
  }
  console.log(
    `${GPUS} GPUs without a pause, n = 100,000, ${GPUS_PER_WORKER} a worker process: share of each resource`,
  );
  console.table(rows);

  for (const speeds of [equal, unequal]) {
    console.log(
      `One job on ${GPUS} GPUs of ${speeds === equal ? 'equal speed' : '1, 3/4, 1/2 and 1/4 of the speed'}`,
    );
    console.table(
      NETS.flatMap((net) => {
        const cost = resources({ shape: shapes.get(net.shape), idle, progress, syncs });
        return JOB_INPUTS.map((inputs) => oneJob(net, inputs, cost, speeds(net)));
      }),
    );
  }
  console.log(
    `First to saturate: ${first.resource}, at ${first.devices} GPUs that run the ${first.net} in jobs of ${first.inputs} input(s).`,
  );
  return measured;
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) await run();
