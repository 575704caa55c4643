import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { processesMarked } from '../support/live-processes.ts';
import { isAlive } from '../support/processes.ts';
import { startTestRedis } from '../support/redis.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';

const LEAKS = fileURLToPath(new URL('../fixtures/leaks', import.meta.url));
const RUNNER = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const at = useTemporaryDirectory();

interface FileReport {
  readonly name: string;
  readonly status: 'passed' | 'failed';
  readonly message: string;
  readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
}

let reports: ReadonlyMap<string, FileReport>;

beforeAll(() => {
  const output = at('report.json');
  const args = ['run', '--config', `${LEAKS}/vitest.config.ts`, '--reporter=json', `--outputFile=${output}`];
  const { stderr } = spawnSync(process.execPath, [RUNNER, ...args], { cwd: LEAKS, encoding: 'utf8' });
  if (stderr !== '') throw new Error(stderr);
  const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as { testResults: FileReport[] };
  reports = new Map(testResults.map((each) => [basename(each.name, '.leak.ts'), each]));
});

const report = (name: string): FileReport => reports.get(name)!;
/** The processes that a report names. */
const named = ({ message }: FileReport): number[] =>
  [...message.matchAll(/process (\d+):/g)].map((match) => Number(match[1]));

test('a file that cleans up passes', () => {
  expect(report('nothing')).toMatchObject({ status: 'passed', message: '' });
});

test.each([
  ['child', /process \d+: sleep 601$/m],
  ['orphan', /process \d+: sleep 602\nprocess \d+: sleep 603$/],
  ['folder', /^in the temporary folder: forgotten-\w+$/m],
  ['handle', /^1 open: TCPServerWrap$/m],
])('a file fails that leaves behind: %s', (name, left) => {
  const { status, message, assertionResults } = report(name);
  expect(status).toBe('failed');
  expect(message).toMatch(/^the file has left behind:\n/);
  expect(message).toMatch(left);
  for (const { status: each } of assertionResults) expect(each).toBe('passed');
});

test('what it leaves behind is ended', () => {
  const processes = [...named(report('child')), ...named(report('orphan'))];
  expect(processes).toHaveLength(3);
  for (const pid of processes) expect(isAlive(pid)).toBe(false);
});

test('what a test starts ends with it, also when it runs out of time, and nothing is left of it', () => {
  const { message, assertionResults } = report('timed-out');
  expect(assertionResults.map(({ status }) => status)).toEqual(['failed', 'passed']);
  expect(message).toBe('');
});

test('of tests that run at the same time each ends what it has started, and nothing else', () => {
  const { message, assertionResults } = report('side-by-side');
  expect(assertionResults.map(({ status }) => status)).toEqual(['passed', 'passed']);
  expect(message).toBe('');
});

test('a Redis server is found by its mark, although it overwrites its environment', async () => {
  const redis = await startTestRedis();
  expect(processesMarked(process.env['TMPDIR']!).map(({ pid }) => pid)).toContain(redis.pid());
  await redis.close();
});
