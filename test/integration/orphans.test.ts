import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findExecutable } from '../../src/find-executable.ts';
import { endWithTest } from '../support/end-with-test.ts';
import { descendantsOf } from '../support/live-processes.ts';
import { runScript, untilGone } from '../support/processes.ts';
import { usePathWithoutRedis, writeProgram } from '../support/search-path.ts';
import { SHARED_CACHE } from '../support/shared-cache.ts';
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

function start(args: readonly string[], variables: Readonly<Record<string, string>>): ChildProcess {
  // What a killed process has no time to remove lies in a folder that is removed.
  const env = { ...process.env, TMPDIR: directory(), LOG_LEVEL: 'silent', ...variables };
  return endWithTest(spawn(process.execPath, args, { env, stdio: 'ignore' }));
}

/** Kills the process; answers its descendants of that moment, when all of them are gone. */
async function killAndWait(parent: ChildProcess): Promise<number[]> {
  // Stopped, it starts nothing between the look and its end.
  parent.kill('SIGSTOP');
  const descendants = descendantsOf(parent.pid!).map(({ pid }) => pid);
  const exited = once(parent, 'exit');
  parent.kill('SIGKILL');
  await exited;
  await untilGone(...descendants);
  return descendants;
}

// Each has processes of its own, and mostly waits for them.
describe
  .runIf(process.platform === 'linux')
  .concurrent('a parent that is killed leaves no process behind', () => {
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
        await until(() => descendantsOf(parent.pid!).length > 0, { what: 'a child' });
        await delay(moment);
        await killAndWait(parent);
      },
    );

    it.each(
      ['as the kernel is asked to', 'by the end of its channel alone'].flatMap((means) =>
        MOMENTS.map((moment) => [means, moment] as const),
      ),
    )('a device host ends %s, %i ms after its start', async (means, moment) => {
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
      const parent = runScript(script);
      const host = await parent.nextLine();
      await delay(moment);
      expect(await killAndWait(parent.child)).toEqual([host]);
    });

    it.runIf(HAS_SETPRIV).each([
      ['nvidia-smi', 'sleep 600', { SMOOTHCERT_DEVICES: 'auto' }],
      ['apt-get', 'sleep 600', { SMOOTHCERT_DEVICES: 'cpu' }],
      ['the probe of WebGPU', 'InferenceSession', { SMOOTHCERT_DEVICES: 'webgpu' }],
    ] as const)('smoothcert serve while %s runs', async (program, mark, variables) => {
      const fetches = program === 'apt-get';
      const folder = directory(`during-${program}`);
      // It hangs, as a broken driver or a dead mirror would make it.
      await writeProgram(folder, program, 'exec sleep 600');
      const path = [folder, fetches ? pathWithoutRedis() : PATH].join(delimiter);
      const parent = start([CLI, 'serve'], {
        SMOOTHCERT_DATA_DIR: join(folder, 'data'),
        // Where a server has been fetched before, the worker comes next; elsewhere, fetching one.
        SMOOTHCERT_CACHE_DIR: fetches ? folder : SHARED_CACHE,
        SMOOTHCERT_PORT: '0',
        REDIS_URL: '',
        PATH: path,
        ...variables,
      });
      await until(() => descendantsOf(parent.pid!).some(({ command }) => command.includes(mark)), {
        what: `${program} under way`,
      });
      expect((await killAndWait(parent)).length).toBeGreaterThan(0);
    });
  });
