// Kills and stops processes of a running service at random while jobs are submitted, and says what that did to the jobs:
//
//   CHAOS_SECONDS=300 CHAOS_SEED=1 npm run bench -- chaos
//
// Every job repeats one of a few requests with a seed of its own, whose votes were drawn undisturbed before. It stops by itself.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { hostOf, startProcesses } from './chaos-processes.mjs';
import { machine } from './machine.mjs';
import { median } from './median.mjs';
import { send } from './service.mjs';

const SECONDS = Math.min(1_800, Number(process.env.CHAOS_SECONDS ?? 300));
const SEED = Number(process.env.CHAOS_SEED ?? 1);
const WORKERS = 2;
const MOST_UNDER_WAY = 4;
const STOP_MILLISECONDS = 20_000;
/** After the last disturbance every job must end within this time. */
const SETTLE_MILLISECONDS = 240_000;
const REQUESTS = Array.from({ length: 5 }, (_, index) => ({
  model: 'mnist-cnn',
  parameters: { sigma: 0.5, n0: 100, n: 20_000 + 10_000 * index },
  inputs: [index, index + 5].map((image) => ({
    image: readFileSync(
      new URL(`../examples/mnist/${String(image).padStart(5, '0')}.png`, import.meta.url),
      'base64',
    ),
  })),
  reproductionSeed: String(index + 1).repeat(64),
}));

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export async function run() {
  console.log(machine());
  const processes = await startProcesses(WORKERS);
  try {
    await chaos(processes);
  } finally {
    await processes.close();
  }
}

async function chaos(processes) {
  const { url, workers, api, redis } = processes;
  const random = randomNumbers(SEED);
  const call = async (path, body) => {
    const response = await send(url + path, body);
    return { status: response.status, body: await response.json() };
  };
  /** The first answer that is one, however long it takes. */
  const answered = async (path, limit = SETTLE_MILLISECONDS) => {
    for (const end = Date.now() + limit; ;) {
      const answer = await call(path).catch(() => null);
      if (answer !== null && answer.status !== 503) return answer;
      if (Date.now() > end) throw new Error(`no answer of ${path} in ${limit / 1000} s`);
      await delay(50);
    }
  };
  const ended = async (id, limit) => {
    for (const end = Date.now() + limit; Date.now() < end; await delay(200)) {
      const { status, body } = await answered(`/v1/certifications/${id}`);
      if (status !== 200 || body.finishedAt !== null) return { status, job: body };
    }
    return null;
  };
  const votes = async (id) => {
    const { body } = await answered(`/v1/certifications/${id}/results`);
    return JSON.stringify(
      body.data.map(({ reproduction }) => [reproduction?.selectionVotes, reproduction?.estimationVotes]),
    );
  };

  for (const end = Date.now() + SETTLE_MILLISECONDS; (await answered('/health/ready')).status !== 200;) {
    if (Date.now() > end) throw new Error('the service is never ready');
    await delay(200);
  }
  const undisturbed = [];
  for (const request of REQUESTS) {
    const { body } = await call('/v1/certifications', request);
    const start = performance.now();
    const outcome = await ended(body.id, SETTLE_MILLISECONDS);
    if (outcome?.job.status !== 'succeeded') throw new Error(`undisturbed: ${JSON.stringify(outcome)}`);
    undisturbed.push({
      votes: await votes(body.id),
      seconds: (performance.now() - start) / 1000,
      id: body.id,
    });
  }
  console.log(`undisturbed: ${undisturbed.map(({ seconds }) => `${seconds.toFixed(1)} s`).join(', ')} a job`);

  const acknowledged = new Map();
  const refusals = { 503: 0, unanswered: 0 };
  // An object, since the loops below see it change.
  const phase = { over: false };
  const submitting = (async () => {
    const open = new Set();
    for (let next = 0; !phase.over; await delay(300)) {
      if (open.size >= MOST_UNDER_WAY) continue;
      const index = next % REQUESTS.length;
      const answer = await call('/v1/certifications', REQUESTS[index]).catch(() => null);
      if (answer?.status === 202) {
        const { id } = answer.body;
        acknowledged.set(id, index);
        open.add(id);
        void ended(id, SETTLE_MILLISECONDS)
          .catch(() => null)
          .then(() => open.delete(id));
        next += 1;
      } else if (answer === null) refusals.unanswered += 1;
      else refusals[answer.status] = (refusals[answer.status] ?? 0) + 1;
    }
  })();

  const events = [];
  const recovery = new Map();
  const note = (kind, milliseconds) => recovery.set(kind, [...(recovery.get(kind) ?? []), milliseconds]);
  /** Waits for a line of a worker's log that came after `since`. */
  const logged = async (kept, since, matches, limit = 60_000) => {
    for (const end = Date.now() + limit; Date.now() < end && !phase.over; await delay(50)) {
      const found = kept
        .flatMap(({ log }) => log.slice(-400))
        .find((entry) => entry.time > since && matches(entry));
      if (found !== undefined) return found.time - since;
    }
    return null;
  };
  const time = async (kind, measured) => {
    const milliseconds = await measured;
    if (milliseconds !== null) note(kind, milliseconds);
  };
  const pick = (list) => list[Math.floor(random() * list.length)];
  const kill = (pid, signal) => {
    try {
      process.kill(pid, signal);
    } catch {
      // It has just ended by itself.
    }
  };
  const sinceKill = (path) => {
    const start = Date.now();
    return answered(path).then(() => Date.now() - start);
  };
  const disturbances = {
    'kill api'() {
      kill(api.child.pid, 'SIGKILL');
      void time('kill api: answers again', sinceKill('/v1/certifications?limit=1'));
    },
    'kill worker'() {
      const victim = pick(workers);
      const since = Date.now();
      const others = workers.filter((each) => each !== victim);
      kill(victim.child.pid, 'SIGKILL');
      const taken = ({ event }) => event === 'job_taken_over';
      void time('kill worker: its job is taken over', logged(others, since, taken, 20_000));
    },
    'kill both workers'() {
      const since = Date.now();
      for (const { child } of workers) kill(child.pid, 'SIGKILL');
      void time(
        'kill both workers: a chunk is drawn',
        logged(workers, since, ({ event }) => event === 'chunk_drawn'),
      );
    },
    'kill host'() {
      const worker = pick(workers);
      const host = hostOf(worker);
      if (host === undefined) return;
      const since = Date.now();
      kill(host, 'SIGKILL');
      void time(
        'kill host: its worker draws again',
        logged([worker], since, ({ event }) => event === 'chunk_drawn'),
      );
    },
    'kill redis'() {
      const pid = redis.pid();
      if (pid === null) return;
      kill(pid, 'SIGKILL');
      void time('kill redis: answers again', sinceKill('/v1/certifications?limit=1'));
    },
    'stop worker'() {
      const { pid } = pick(workers).child;
      kill(pid, 'SIGSTOP');
      setTimeout(() => kill(pid, 'SIGCONT'), STOP_MILLISECONDS);
    },
    'stop host'() {
      const worker = pick(workers);
      const host = hostOf(worker);
      if (host === undefined) return;
      const since = Date.now();
      kill(host, 'SIGSTOP');
      setTimeout(() => kill(host, 'SIGCONT'), STOP_MILLISECONDS);
      const found = ({ event, hostPid }) => event === 'device_host_hung' && hostPid === host;
      void time('stop host: found hung', logged([worker], since, found, 30_000));
    },
    'stop redis'() {
      const pid = redis.pid();
      if (pid === null) return;
      kill(pid, 'SIGSTOP');
      setTimeout(() => kill(pid, 'SIGCONT'), STOP_MILLISECONDS);
    },
  };
  const kinds = Object.keys(disturbances);
  for (const end = Date.now() + 1000 * SECONDS; Date.now() < end;) {
    await delay(3_000 + 5_000 * random());
    // Kills come three times as often as stops, of which each takes 20 s.
    const kind = random() < 0.75 ? pick(kinds.slice(0, 5)) : pick(kinds.slice(5));
    events.push(kind);
    disturbances[kind]();
  }
  await delay(STOP_MILLISECONDS);
  phase.over = true;
  await submitting;

  const counts = { lost: 0, stuck: 0, failed: 0, double: 0, 'other votes': 0 };
  const settleBy = Date.now() + SETTLE_MILLISECONDS;
  for (const [id, index] of acknowledged) {
    const outcome = await ended(id, Math.max(1_000, settleBy - Date.now()));
    if (outcome === null) counts.stuck += 1;
    else if (outcome.status === 404) counts.lost += 1;
    else if (outcome.job.status !== 'succeeded') {
      counts.failed += 1;
      console.log(`${id} ${outcome.job.status}: ${JSON.stringify(outcome.job.error)}`);
    } else {
      const { progress } = outcome.job;
      if (progress.samplesDrawn !== progress.samplesPlanned) counts.double += 1;
      if ((await votes(id)) !== undisturbed[index].votes) counts['other votes'] += 1;
    }
  }
  const listed = [];
  for (let cursor = null; ;) {
    const { body } = await answered(
      `/v1/certifications?limit=500${cursor === null ? '' : `&cursor=${cursor}`}`,
    );
    listed.push(...body.data.map(({ id }) => id));
    cursor = body.next;
    if (cursor === null) break;
  }
  counts.double += listed.length - new Set(listed).size;
  const untold = listed.filter((id) => !acknowledged.has(id) && !undisturbed.some((each) => each.id === id));

  console.log(`${events.length} disturbances in ${SECONDS} s (seed ${SEED}):`);
  for (const kind of kinds) console.log(`  ${events.filter((each) => each === kind).length} x ${kind}`);
  console.log(
    `${acknowledged.size} jobs acknowledged; ${refusals[503]} answers 503, ${refusals.unanswered} none`,
  );
  console.log(
    Object.entries(counts)
      .map(([what, count]) => `${count} ${what}`)
      .join(', '),
  );
  console.log(`${untold.length} jobs that nobody was told of`);
  for (const [end, words] of processes.ended)
    console.log(`a process that nobody killed ended: ${end}: ${words}`);
  for (const [kind, times] of [...recovery].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const seconds = (value) => `${(value / 1000).toFixed(1)} s`;
    console.log(
      `${kind}: ${seconds(median(times))} (median of ${times.length}), ${seconds(Math.max(...times))} at most`,
    );
  }
  if (Object.values(counts).some((count) => count > 0) || processes.ended.size > 0) process.exitCode = 1;
}
