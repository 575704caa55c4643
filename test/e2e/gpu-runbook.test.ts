import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServiceProcess, startProcess } from '../support/service.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

let runbook: string;
let data: string;
let service: ServiceProcess;
let url: string;

/** The lines of the shell examples that need nothing but what is here, without their comments. */
function commands(): string[] {
  const blocks = [...runbook.matchAll(/```sh\n([^`]*)```/g)].map((match) => match[1]!);
  return blocks
    .filter((block) => !block.startsWith('# needs '))
    .flatMap((block) => block.split('\n'))
    .filter((line) => line !== '');
}

const shell = (line: string, variables: Record<string, string> = {}) =>
  run('bash', ['-euo', 'pipefail', '-c', line], {
    cwd: ROOT,
    env: { ...process.env, LOG_LEVEL: 'warn', ...variables },
  });

beforeAll(async () => {
  runbook = await readFile(join(ROOT, 'docs/gpu.md'), 'utf8');
  data = await mkdtemp(join(tmpdir(), 'smoothcert-runbook-'));
  service = startProcess('serve', {
    SMOOTHCERT_PORT: '0',
    SMOOTHCERT_DATA_DIR: data,
    SMOOTHCERT_DEVICES: 'cpu',
    SMOOTHCERT_MODELS: 'mnist-cnn',
  });
  url = String((await service.logged('api_listening'))['url']);
  // The API answers before its worker has loaded the models.
  await service.logged('worker_ready');
});

afterAll(async () => {
  await service.end();
  await rm(data, { recursive: true, force: true });
});

describe('docs/gpu.md', () => {
  it('has three commands that need no GPU, and these tests run them all', () => {
    expect(commands()).toEqual([
      expect.stringMatching(/smoothcert worker$/),
      'curl -s $URL/v1/devices',
      expect.stringMatching(/^npx smoothcert certify .* --server \$URL --json$/),
    ]);
  });

  it('says what a worker for GPUs does without one: it ends with 3, and computes nothing on the CPU', async () => {
    // Hidden, where this machine has some.
    const refused = shell(commands()[0]!, { CUDA_VISIBLE_DEVICES: '' });
    await expect(refused).rejects.toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/SMOOTHCERT_DEVICES/),
    });
  });

  it('shows the devices and what computes on them', async () => {
    const { stdout } = await shell(commands()[1]!, { URL: url });
    const { data: devices } = JSON.parse(stdout) as { data: { kind: string; hosts: unknown[] }[] };
    expect(devices.map(({ kind }) => kind)).toEqual(['cpu']);
    expect(JSON.stringify(devices[0]!.hosts)).toContain('"provider":"cpu"');
  });

  it('shows in the certificate where it was computed', async () => {
    const { stdout } = await shell(commands()[2]!, { URL: url });
    const [result] = JSON.parse(stdout) as { certificate: Record<string, unknown> }[];
    expect(result!.certificate['engine']).toMatchObject({ provider: 'cpu', precision: 'fp32' });
    expect(JSON.stringify(result!.certificate)).toMatch(/"device/);
  });

  it('names only files and variables that exist', async () => {
    const links = [...runbook.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1]!);
    for (const link of links.filter((each) => !each.startsWith('http')))
      await readFile(join(ROOT, 'docs', link));
    const compose = await readFile(join(ROOT, 'docker-compose.yml'), 'utf8');
    const [table] = /^\| variable[^]*?\n\n/m.exec(runbook)!;
    const names = [...table.matchAll(/`([A-Z_]+)`(?=[^|]*\|[^|]*\|)/g)].map((match) => match[1]!);
    expect(names).toContain('ONNX_GPU');
    for (const name of names) expect(compose).toContain(`\${${name}:-`);
  });

  it('explains messages that the product has, in its own words', async () => {
    const [, table] = /^## \d+\. When something is wrong$([^]*)/m.exec(runbook)!;
    const first = [...table!.matchAll(/^\| ([^|]*) \|/gm)].map((match) => match[1]!);
    const quoted = first.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!));
    expect(quoted.length).toBeGreaterThan(10);
    const files = await readdir(join(ROOT, 'src'), { recursive: true });
    const sources = await Promise.all(
      files.filter((file) => file.endsWith('.ts')).map((file) => readFile(join(ROOT, 'src', file), 'utf8')),
    );
    const text = sources.join('\n');
    expect(quoted.filter((message) => !text.includes(message))).toEqual([]);
  });

  it('begins by saying that nothing of it was run on a GPU', () => {
    expect(runbook).toMatch(/^# NVIDIA GPUs\n\n\*\*Not yet run on a GPU\.\*\*/);
  });
});
