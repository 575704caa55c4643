import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { endWithTest } from '../support/end-with-test.ts';
import { descendantsOf } from '../support/live-processes.ts';
import { untilAllGone } from '../support/processes.ts';
import { withinServedTime } from '../support/served-time.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

// Processes are started from the build; `npm test` makes it first.
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));
/** The promise is 15 s; the rest is for the processes that end after it. */
const ENDED_WITHIN_MS = 20_000;

const directory = useTemporaryDirectory();

function start(command: string, args: readonly string[], options: { cwd?: string; tmp: string }) {
  const child = endWithTest(
    spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, TMPDIR: options.tmp, LOG_LEVEL: 'warn', REDIS_URL: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  }
  return { child, output: () => output.join('') };
}

const processOf = (child: ChildProcess, mark: string): number | undefined =>
  descendantsOf(child.pid!).find(({ command }) => command.includes(mark))?.pid;

// Each has processes and folders of its own, and mostly waits for them.
describe
  .runIf(process.platform === 'linux')
  .concurrent('one SIGTERM ends a command that runs everything itself', () => {
    const everything = (folder: string): void => {
      for (const name of readdirSync(folder)) rmSync(`${folder}/${name}`, { recursive: true, force: true });
    };
    const send = (pid: number | undefined, signal: NodeJS.Signals): void => {
      if (pid === undefined) throw new Error('it does not run');
      process.kill(pid, signal);
    };

    it.each<[string, (child: ChildProcess, folder: string) => void]>([
      ['while all is well', () => undefined],
      ['after the folders of Redis are gone', (_, folder) => everything(folder)],
      [
        'after Redis is killed and its folders are gone',
        (child, folder) => {
          everything(folder);
          send(processOf(child, 'unixsocket'), 'SIGKILL');
        },
      ],
      ['while Redis hangs', (child) => send(processOf(child, 'unixsocket'), 'SIGSTOP')],
      ['while its device host hangs', (child) => send(processOf(child, 'host-process'), 'SIGSTOP')],
    ])('%s: status 143, and no process and no folder is left', async (name, disturb) => {
      const folder = directory(name.replaceAll(' ', '-').slice(0, 30));
      await mkdir(folder);
      const args = [
        'certify',
        'examples/mnist/00000.png',
        '--model',
        'mnist-cnn',
        '--n',
        '10000000',
        '--lanes',
        '1',
      ];
      const { child, output } = start(process.execPath, [CLI, ...args], { tmp: folder });
      await until(() => /[1-9][\d,]* of [\d,]+ samples/.test(output()), {
        what: 'samples',
      });
      const descendants = descendantsOf(child.pid!);
      disturb(child, folder);
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await withinServedTime(exited, ENDED_WITHIN_MS), output()).toEqual([143, null]);
      await untilAllGone(descendants);
      expect(readdirSync(folder)).toEqual([]);
    });
  });

describe.runIf(process.platform === 'linux').concurrent('a service that npm runs', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('ends in order after its npm has ended by %s', async (signal) => {
    const folder = directory(`npm-${signal}`);
    await mkdir(folder);
    const command = `'${process.execPath}' '${CLI}' serve --port 0 --data '${folder}/data' --lanes 1`;
    await writeFile(`${folder}/package.json`, JSON.stringify({ scripts: { start: command } }));
    const { child, output } = start('npm', ['run', 'start'], { cwd: folder, tmp: folder });
    await until(() => output().includes('Smoothcert listens on'), {
      what: 'the service',
    });
    const descendants = descendantsOf(child.pid!);
    expect(descendants.length).toBeGreaterThan(2);
    child.kill(signal);
    await withinServedTime(untilAllGone(descendants), ENDED_WITHIN_MS);
    // It names no owner any more: it was told to end, and has closed what it had open.
    expect(readFileSync(`${folder}/data/redis/owner.lock`, 'utf8')).toBe('');
  });
});
