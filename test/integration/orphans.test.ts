import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findExecutable } from '../../src/find-executable.ts';
import { parseProcessStat } from '../../src/redis/embedded/process-identity.ts';
import { SHARED_SERVER_CACHE } from '../support/redis.ts';
import { runScript, untilGone } from '../support/processes.ts';
import { isAlive } from '../support/service.ts';
import { usePathWithoutRedis, writeProgram } from '../support/search-path.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

// Processes are started from the build; `npm test` makes it first.
const BUILT = new URL('../../dist/', import.meta.url);
const CLI = fileURLToPath(new URL('main/cli.js', BUILT));
const PATH = process.env['PATH'] ?? '';
const HAS_SETPRIV = findExecutable(['setpriv'], PATH) !== null;
/** Moments of a parent's death, milliseconds: a host is up after about 800 on an idle machine. */
const MOMENTS = [0, 60, 150, 300, 500, 800, 1_300, 2_000, 3_000];

const directory = useTemporaryDirectory();
const pathWithoutRedis = usePathWithoutRedis();

/** Every living process whose parent, or parent's parent, ... is `pid`. */
function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      if (parseProcessStat(stat)?.state === 'Z') continue;
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended since it was listed.
    }
  }
  const found: number[] = [];
  for (let above = [pid]; above.length > 0; found.push(...above)) {
    above = [...parents].flatMap(([child, parent]) => (above.includes(parent) ? [child] : []));
  }
  return found;
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function start(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  cwd = process.cwd(),
): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, LOG_LEVEL: 'silent', ...variables },
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Kills the process; answers its descendants of that moment, when all of them are gone. */
async function killAndWait(parent: ChildProcess): Promise<number[]> {
  // Stopped, it starts nothing between the look and its end.
  parent.kill('SIGSTOP');
  const descendants = descendantsOf(parent.pid!);
  const exited = once(parent, 'exit');
  parent.kill('SIGKILL');
  await exited;
  try {
    for (const pid of descendants) await untilGone(pid, 10_000);
  } finally {
    // A test that fails leaves none behind either.
    for (const pid of descendants.filter(isAlive)) process.kill(pid, 'SIGKILL');
  }
  return descendants;
}

describe.runIf(process.platform === 'linux')('a parent that is killed leaves no process behind', () => {
  const serve = (name: string, variables: Readonly<Record<string, string>>): ChildProcess =>
    start([CLI, 'serve'], {
      SMOOTHCERT_PORT: '0',
      SMOOTHCERT_DATA_DIR: directory(name),
      REDIS_URL: '',
      ...variables,
    });

  it.each(MOMENTS.map((moment) => [moment]))(
    'smoothcert serve, %i ms after its first child was started',
    async (moment) => {
      const parent = serve(`serve-${moment}`, { SMOOTHCERT_DEVICES: 'cpu', SMOOTHCERT_LANES: '1' });
      await until(() => descendantsOf(parent.pid!).length > 0, { what: 'a child', timeoutMs: 120_000 });
      await delay(moment);
      await killAndWait(parent);
    },
    180_000,
  );

  it.each(['as the kernel is asked to', 'by the end of its channel alone'])(
    'a device host ends %s, at whatever moment of its start',
    async (means) => {
      const built = (path: string): string => JSON.stringify(new URL(path, BUILT).href);
      const script = `
        process.execArgv.length = 0;
        const { createDeviceHost } = await import(${built('host/device-host.js')});
        const { dieWithParent } = await import(${built('die-with-parent.js')});
        const { CPU_TARGET } = await import(${built('engines/compute-target.js')});
        const { openModelStore } = await import(${built('models/store.js')});
        const logger = { child: () => logger, debug() {}, info() {}, warn() {}, error() {} };
        const launch = ${means.startsWith('as')} ? await dieWithParent(process.env.PATH) : undefined;
        const { models } = await openModelStore('models');
        const host = createDeviceHost({ id: 'cpu', name: 'CPU', kind: 'cpu', lanes: 2 }, CPU_TARGET,
          { ...process.env, ORT_DISABLE_TELEMETRY: '1' }, logger, { launch });
        const loading = host.load(models[0]);
        console.log(host.pid());
        await loading;
        setInterval(() => {}, 1000);
      `;
      for (const moment of MOMENTS) {
        const parent = runScript(script);
        onTestFinished(() => parent.kill());
        const host = await parent.nextLine();
        await delay(moment);
        expect(await killAndWait(parent.child), `after ${moment} ms`).toEqual([host]);
      }
    },
    300_000,
  );

  it.runIf(HAS_SETPRIV).each([
    ['nvidia-smi', 'sleep 600', { SMOOTHCERT_DEVICES: 'auto' }],
    ['apt-get', 'sleep 600', { SMOOTHCERT_DEVICES: 'cpu' }],
    ['the probe of WebGPU', 'InferenceSession', { SMOOTHCERT_DEVICES: 'webgpu' }],
  ] as const)(
    'smoothcert serve while %s runs',
    async (program, mark, variables) => {
      const fetches = program === 'apt-get';
      const folder = directory(`during-${program}`);
      // It hangs, as a broken driver or a dead mirror would make it.
      await writeProgram(folder, program, 'exec sleep 600');
      const path = [folder, fetches ? pathWithoutRedis() : PATH].join(delimiter);
      const data = { SMOOTHCERT_DATA_DIR: join(folder, 'data'), REDIS_URL: '', SMOOTHCERT_PORT: '0' };
      // Where a server has been fetched before, the worker comes next; elsewhere, fetching one.
      const cwd = fetches ? folder : join(SHARED_SERVER_CACHE, '..');
      const parent = start([CLI, 'serve'], { ...data, ...variables, PATH: path }, cwd);
      await until(() => descendantsOf(parent.pid!).some((pid) => commandLine(pid).includes(mark)), {
        what: `${program} under way`,
        timeoutMs: 120_000,
      });
      expect((await killAndWait(parent)).length).toBeGreaterThan(0);
    },
    180_000,
  );
});
