// A fleet on paper: what jobs cost each resource, and how long one job takes on many devices. Pure arithmetic.

/** Progress of a chunk is written about this often, and once at its beginning. */
const PROGRESS_SECONDS = 0.25;

/**
 * Least squares without a constant: the coefficients c with the smallest sum of (y - c·x)², by the normal equations.
 *
 * @param {{ x: number[], y: number }[]} rows
 */
export function fit(rows) {
  const size = rows[0].x.length;
  const matrix = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_, j) => rows.reduce((sum, { x }) => sum + x[i] * x[j], 0)),
    rows.reduce((sum, { x, y }) => sum + x[i] * y, 0),
  ]);
  for (let pivot = 0; pivot < size; pivot += 1) {
    const best = matrix.findIndex(
      (row, index) =>
        index >= pivot &&
        Math.abs(row[pivot]) === Math.max(...matrix.slice(pivot).map((other) => Math.abs(other[pivot]))),
    );
    [matrix[pivot], matrix[best]] = [matrix[best], matrix[pivot]];
    for (const [index, row] of matrix.entries()) {
      if (index === pivot) continue;
      const factor = row[pivot] / matrix[pivot][pivot];
      for (let column = pivot; column <= size; column += 1) row[column] -= factor * matrix[pivot][column];
    }
  }
  return matrix.map((row, index) => row[size] / row[index]);
}

/** Hosts of these speeds, with batches that divide every chunk. */
export function hosts(speeds) {
  return speeds.map((samplesPerSecond) => ({ samplesPerSecond, rows: 1 }));
}

/**
 * What happens in a second while every device draws without a pause.
 *
 * @param fleet `gpus` devices of `speed` samples a second; jobs of `inputs` inputs with `samples` samples each
 * @param chunkSize the product's own
 */
export function rates({ gpus, speed, inputs, samples }, chunkSize) {
  const perChunk = chunkSize(inputs * samples, hosts(Array.from({ length: gpus }, () => speed)));
  const jobs = (gpus * speed) / (inputs * samples);
  const chunksPerJob = Math.ceil((inputs * samples) / perChunk);
  const chunks = jobs * chunksPerJob;
  return {
    jobs,
    inputs: jobs * inputs,
    chunks,
    // The first one of each chunk is part of the chunk's measured cost.
    progress: chunks * Math.floor(perChunk / speed / PROGRESS_SECONDS),
    devices: gpus,
    chunksPerJob,
    chunkSeconds: perChunk / speed,
  };
}

/** A cost a second: the rates by what each costs. */
export function load(cost, rate) {
  return Object.entries(cost).reduce((sum, [name, each]) => sum + each * rate[name], 0);
}

/** Fewest devices, up to `most`, for which `utilisation(devices)` reaches 1; Infinity where none does. */
export function saturation(utilisation, most = 2 ** 24) {
  if (utilisation(most) < 1) return Infinity;
  let [low, high] = [0, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (utilisation(middle) >= 1) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * One job on many devices, event by event. Every device holds up to `slots` chunks, of which it draws one at a time; it
 * takes the next as soon as it has recorded one. To take one and to record one each cost the device's worker process and
 * Redis, which serve in order of arrival, and a delay that occupies nobody.
 *
 * @param speeds samples a second of each device
 * @param chunks samples of each chunk, in the order of the queue
 * @param start seconds until the chunks are in the queue
 * @returns the seconds until the last chunk is recorded, and what each device drew
 */
export function simulate({
  speeds,
  chunks,
  start = 0,
  take = { redis: 0, worker: 0, delay: 0 },
  record = { redis: 0, worker: 0, delay: 0 },
  devicesPerWorker = 8,
  slots = 2,
}) {
  const events = [];
  const at = (time, action) => {
    let index = events.length;
    while (index > 0 && events[index - 1].time > time) index -= 1;
    events.splice(index, 0, { time, action });
  };
  const server = () => {
    let free = 0;
    return (time, service) => (free = Math.max(free, time) + service);
  };
  const redis = server();
  const workers = Array.from({ length: Math.ceil(speeds.length / devicesPerWorker) }, server);
  const devices = speeds.map(server);
  const drawn = speeds.map(() => 0);
  let next = 0;
  let makespan = start;

  /** Through the worker's process and Redis, one after the other. */
  const pass = (device, time, cost, then) => {
    at(workers[Math.floor(device / devicesPerWorker)](time, cost.worker), (called) =>
      at(redis(called, cost.redis) + cost.delay, then),
    );
  };
  const fetch = (device, time) => {
    if (next >= chunks.length) return;
    const samples = chunks[next];
    next += 1;
    pass(device, time, take, (taken) =>
      at(devices[device](taken, samples / speeds[device]), (counted) => {
        drawn[device] += samples;
        pass(device, counted, record, (recorded) => {
          makespan = Math.max(makespan, recorded);
          fetch(device, recorded);
        });
      }),
    );
  };
  for (let slot = 0; slot < slots; slot += 1)
    for (const device of speeds.keys()) at(start, (time) => fetch(device, time));
  for (let event = events.shift(); event !== undefined; event = events.shift()) event.action(event.time);
  return { makespan, drawn };
}
