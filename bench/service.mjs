// Starts the built service as a user does, and measures it from outside.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/** Asks the service, or sends it a body as JSON; answers what it says within ten seconds. */
export function send(address, body) {
  const init = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  return fetch(address, { ...init, signal: AbortSignal.timeout(10_000) });
}

/** The service with these model folders, on a free port, with its own data directory. */
export async function startService({ models, lanes, variables = {}, installation = path('.') }) {
  const folder = mkdtempSync(join(tmpdir(), 'smoothcert-bench-'));
  for (const [index, model] of models.entries()) {
    cpSync(resolve(path('.'), model), join(folder, 'models', String(index)), { recursive: true });
  }
  const child = spawn(process.execPath, [join(installation, 'dist/main/cli.js'), 'serve'], {
    cwd: path('.'),
    env: {
      SMOOTHCERT_DEVICES: 'cpu',
      ...process.env,
      ...variables,
      SMOOTHCERT_PORT: '0',
      SMOOTHCERT_MODELS_DIR: join(folder, 'models'),
      SMOOTHCERT_DATA_DIR: folder,
      SMOOTHCERT_LANES: String(lanes),
      LOG_LEVEL: 'debug',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const chunks = [];
  let redisUrl = null;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise((resolve, reject) => {
    void exited.then((code) => reject(new Error(`the service ended with ${code}`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const entry = JSON.parse(line);
      if (entry.event === 'embedded_redis_ready') redisUrl = `unix://${entry.socketPath}`;
      if (entry.event === 'api_listening') resolve(entry.url);
      if (entry.event === 'chunk_drawn') chunks.push(entry);
    });
  });
  return {
    url,
    /** Log entries of the chunks drawn so far, with the lanes' timings. */
    chunks,
    redisUrl,
    modelsDirectory: join(folder, 'models'),
    pid: child.pid,
    async close() {
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A second worker of a service that is running. */
export async function startWorker({ redisUrl, modelsDirectory }, lanes) {
  const child = spawn(process.execPath, [path('dist/main/cli.js'), 'worker'], {
    cwd: path('.'),
    env: {
      ...process.env,
      SMOOTHCERT_DEVICES: 'cpu',
      SMOOTHCERT_MODELS_DIR: modelsDirectory,
      SMOOTHCERT_LANES: String(lanes),
      REDIS_URL: redisUrl,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve, reject) => {
    void exited.then((code) => reject(new Error(`the worker ended with ${code}`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.startsWith('{') && JSON.parse(line).event === 'worker_ready') resolve();
    });
  });
  return {
    async close() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Submits a certification of `images` copies of one input and answers how fast it was, by the wall clock. */
export async function certify(url, { model, shape, images, n, sigma }) {
  const elements = shape.reduce((product, side) => product * side, 1);
  const data = Buffer.from(Uint8Array.from({ length: elements }, (_, index) => (index * 7) % 256)).toString(
    'base64',
  );
  const body = {
    model,
    parameters: { sigma, n },
    inputs: Array.from({ length: images }, () => ({ tensor: { dtype: 'uint8', shape, data } })),
  };
  const start = performance.now();
  const submitted = await fetch(`${url}/v1/certifications`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (submitted.status !== 202) throw new Error(await submitted.text());
  const location = submitted.headers.get('location');
  for (;;) {
    const job = await (await fetch(url + location)).json();
    if (job.finishedAt !== null) {
      if (job.status !== 'succeeded') throw new Error(JSON.stringify(job));
      const seconds = (performance.now() - start) / 1000;
      const [result] = (await (await fetch(`${url}${location}/results?limit=1`)).json()).data;
      const { devices, engine } = result.certificate;
      const { batchSize } = devices[0];
      return { id: job.id, seconds, samples: job.progress.samplesDrawn, batchSize, engine };
    }
    // Rare polls until the end is near: each costs the processor that the lanes need.
    const wait = job.progress.secondsLeft > 1 ? 500 : 50;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** Resident memory in MiB, now and at most, of a process and all its descendants, by command. */
export function memory(root) {
  const parents = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended while the list was read.
    }
  }
  const family = [root];
  for (const pid of family) for (const [child, parent] of parents) if (parent === pid) family.push(child);
  return family.map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const mebibytes = (name) =>
      Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024);
    const name = command.some((word) => word.includes('host-process'))
      ? 'device host'
      : command[0].includes('redis')
        ? 'redis-server'
        : 'API and worker';
    return { name, now: mebibytes('VmRSS'), most: mebibytes('VmHWM') };
  });
}
