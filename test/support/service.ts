import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { JobResource, ResultResource } from '../../src/contract/resources.ts';
import type { LogEvent } from '../../src/log-events.ts';
import { endWithTest } from './end-with-test.ts';
import { until } from './until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A line of the log. */
export interface LogEntry {
  readonly event?: LogEvent;
  readonly [fact: string]: unknown;
}

/** A process of the built product, and what it logged. */
export interface ServiceProcess {
  readonly child: ChildProcess;
  readonly log: readonly LogEntry[];
  /** Waits for the first log line of this event. */
  logged(event: LogEvent): Promise<LogEntry>;
  /** Ends it with a signal and waits; does nothing if it has ended. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts `smoothcert <command>` from the build under `root`, with these variables added to the environment. It ends with the
 * test, or with the file where it is started outside of one.
 */
export function startProcess(
  command: string,
  variables: Readonly<Record<string, string>>,
  root: string = ROOT,
): ServiceProcess {
  const child = endWithTest(
    spawn(process.execPath, ['dist/main/cli.js', command], {
      cwd: root,
      env: { ...process.env, LOG_LEVEL: 'debug', ...variables },
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  );
  const log: LogEntry[] = [];
  const other: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('{')) log.push(JSON.parse(line) as LogEntry);
    else other.push(line);
  });
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    child,
    log,
    logged: (event) =>
      until(
        () => {
          const found = log.find((entry) => entry.event === event);
          if (found === undefined && !running()) {
            throw new Error(`${command} ended: ${other.join('\n')} ${JSON.stringify(log.at(-1))}`);
          }
          return found;
        },
        { what: `${event} in the log of ${command}` },
      ),
    async end(signal = 'SIGTERM') {
      if (!running()) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    },
  };
}

/** Process id of the device host that a worker started last for an engine. */
export function hostPid(worker: ServiceProcess, engine = 'onnx'): number {
  const starts = worker.log.filter(
    (entry) => entry.event === 'device_host_started' && entry['engine'] === engine,
  );
  return Number(starts.at(-1)?.['hostPid']);
}

/** A client of a running API. */
export interface TestClient {
  readonly url: string;
  submit(body: unknown, kind?: 'certifications' | 'predictions'): Promise<JobResource>;
  job(id: string): Promise<JobResource>;
  results(id: string): Promise<ResultResource[]>;
  cancel(id: string): Promise<JobResource>;
  /** Waits until the job has ended. */
  ended(id: string): Promise<JobResource>;
  /** Waits until at least so many samples are drawn while the job still runs. */
  drawn(id: string, samples: number): Promise<JobResource>;
}

export function createTestClient(url: string): TestClient {
  async function call<Body>(path: string, body?: unknown): Promise<Body> {
    const request =
      body === undefined
        ? {}
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(url + path, request);
    const answer = (await response.json()) as Body;
    if (!response.ok) throw new Error(`${response.status} of ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }
  const path = (id: string): string =>
    `/v1/${id.startsWith('cert_') ? 'certifications' : 'predictions'}/${id}`;
  const job = (id: string): Promise<JobResource> => call(path(id));
  return {
    url,
    submit: (body, kind = 'certifications') => call(`/v1/${kind}`, body),
    job,
    results: async (id) => (await call<{ data: ResultResource[] }>(`${path(id)}/results?limit=500`)).data,
    cancel: (id) => call(`${path(id)}/cancel`, {}),
    ended: (id) =>
      until(
        async () => {
          const now = await job(id);
          return now.finishedAt === null ? null : now;
        },
        { what: `the end of ${id}`, everyMs: 50 },
      ),
    drawn: (id, samples) =>
      until(
        async () => {
          const now = await job(id);
          if (now.finishedAt !== null) throw new Error(`${id} ended before it could be disturbed`);
          return now.progress.samplesDrawn >= samples ? now : null;
        },
        { what: `${samples} samples of ${id}`, everyMs: 20 },
      ),
  };
}

/** The committed example images of a data set as inputs of a request, with their labels. */
export function exampleInputs(set: 'mnist' | 'fashion-mnist', count: number) {
  const folder = new URL(`../../examples/${set}/`, import.meta.url);
  const labels = JSON.parse(readFileSync(new URL('labels.json', folder), 'utf8')) as {
    file: string;
    label: number;
  }[];
  return labels.slice(0, count).map(({ file, label }) => ({
    id: file,
    label,
    image: readFileSync(new URL(file, folder)).toString('base64'),
  }));
}
