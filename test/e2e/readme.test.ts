import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EnvironmentSchema } from '../../src/config/env.ts';
import { createTestClient, type ServiceProcess, startProcess } from '../support/service.ts';

interface Described {
  readonly default?: string | number;
  readonly description: string;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

let readme: string;
let data: string;
let service: ServiceProcess;
let url: string;

/** The lines of the README's shell examples, without their comments. */
function commands(): string[] {
  const blocks = [...readme.matchAll(/```sh\n([^`]*)```/g)].map((match) => match[1]!);
  return blocks
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** The one command of the README that contains `part`. */
function command(part: string): string {
  const found = commands().filter((line) => line.includes(part));
  expect(found, `commands of the README with ${part}`).toHaveLength(1);
  return found[0]!;
}

async function shell(line: string, variables: Record<string, string> = {}): Promise<string> {
  const environment = { ...process.env, LOG_LEVEL: 'warn', ...variables };
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', line], { cwd: ROOT, env: environment });
  return stdout;
}

beforeAll(async () => {
  readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  data = await mkdtemp(join(tmpdir(), 'smoothcert-readme-'));
  service = startProcess('serve', { SMOOTHCERT_PORT: '0', SMOOTHCERT_DATA_DIR: data });
  url = String((await service.logged('api_listening'))['url']);
});

afterAll(async () => {
  await service.end();
  await rm(data, { recursive: true, force: true });
});

describe('the README', () => {
  it('shows first the two lines that a newcomer needs, and both are scripts of the package', async () => {
    expect(commands().slice(0, 2)).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['demo', 'test', 'build', 'bench']));
  });

  it('submits, polls and reads results with the curl lines that it shows', async () => {
    const submit = command('-F image=').replace('"sigma":0.5', '"sigma":0.5,"n":2000');
    const location = (await shell(`${submit}; echo $JOB`, { URL: url })).trim();
    expect(location).toMatch(/^\/v1\/certifications\/cert_[0-9a-f]{24}$/);
    const variables = { URL: url, JOB: location };
    const shown = JSON.parse(await shell('curl -s $URL$JOB', variables)) as { object: string };
    expect(commands()).toContain('curl -s $URL$JOB');
    expect(shown.object).toBe('certification');
    await shell(command('until curl'), variables);
    const results = JSON.parse(await shell('curl -s $URL$JOB/results', variables)) as {
      data: { inputId: string; outcome: string }[];
    };
    // The first MNIST test image is a plain 7; number 247 was chosen because the classifier is torn between 4 and 6.
    expect(results.data.map(({ inputId, outcome }) => [inputId, outcome])).toEqual([
      ['00000.png', 'certified'],
      ['00247.png', 'abstained'],
    ]);
    expect(commands()).toContain('curl -s $URL$JOB/results');
    const csv = (await shell(command('format=csv'), variables)).split('\r\n');
    expect(csv[1]).toMatch(/^0,00000\.png,decided,certified,7,7,,,\d\.\d{4},0\.\d{6},/);
    expect(csv[2]).toMatch(/^1,00247\.png,decided,abstained,,,,,,0\.\d{6},/);
    const table = (await shell(command('tab-separated-values'), variables)).split('\n');
    expect(table[0]!.split('\t')).toEqual(['idx', 'label', 'predict', 'radius', 'correct', 'time']);
    expect(table[1]).toMatch(/^0\t\t7\t\d\.\d\d\t\t0:00:\d\d(\.\d{6})?$/);
    expect(table[2]).toMatch(/^1\t\t-1\t0\.0\t\t0:00:\d\d(\.\d{6})?$/);
    const lines = (await shell(command('format=ndjson'), variables)).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(results.data);
  });

  it('certifies with the lines of Python that it shows', async () => {
    const [, script] = /```python\n([^`]*)```/.exec(readme)!;
    const output = await shell(
      `python3 - <<'END'\n${script!.replace('"sigma": 0.5', '"sigma": 0.5, "n": 2000')}END`,
      { URL: url },
    );
    expect(output).toMatch(/^examples\/mnist\/00000\.png certified \{'class': 7, 'label': '7'\} 1\.\d+\n$/);
  });

  it('certifies a folder with its labels and writes a report with the command that it shows', async () => {
    const report = join(data, 'report.html');
    const output = await shell(command('--report').replace('--report report.html', `--report ${report}`));
    expect(output).toMatch(/^20 images: \d+ certified \(\d+ correct, \d+ wrong\), \d+ abstained; /m);
    expect(await readFile(report, 'utf8')).toContain('Certified robustness of fashion-mnist-cnn');
  });

  it('cancels with the curl line that it shows', async () => {
    const submit = command('-F image=').replace('"sigma":0.5', '"sigma":0.5,"n":5000000');
    const location = (await shell(`${submit}; echo $JOB`, { URL: url })).trim();
    const cancelled = JSON.parse(await shell(command('/cancel'), { URL: url, JOB: location })) as {
      status: string;
    };
    expect(cancelled.status).toMatch(/^cancell(ing|ed)$/);
    expect((await createTestClient(url).ended(location.split('/').at(-1)!)).status).toBe('cancelled');
  });

  // Expected numbers: scipy.stats.beta.ppf(0.001, 7312, 2689) = 0.7172974..., times 0.5 * norm.ppf of it = 0.2874158...
  it('computes a radius with the curl line and with the command that it shows', async () => {
    const byHttp = JSON.parse(await shell(command('/v1/radius'), { URL: url })) as Record<string, number>;
    const byCommand = JSON.parse(await shell(command('smoothcert radius'))) as Record<string, number>;
    expect(byCommand).toEqual(byHttp);
    expect(byHttp['pALowerBound']).toBeCloseTo(0.7172974164, 10);
    expect(byHttp['certifiedRadius']).toBeCloseTo(0.2874158192, 10);
  });

  it('certifies an image with the command that it shows', async () => {
    const output = await shell(command('--n 10000'));
    // Image, no label, prediction 7, and a radius of four digits.
    expect(output).toMatch(/00000\.png │ – +│ 7 +│ 1\.\d{4} │/);
  });

  it('adds a model and checks it with the commands that it shows', async () => {
    const here = (line: string): string =>
      line.replace('--models my-models', `--models ${join(data, 'my-models')}`);
    expect(await shell(here(command('models add')))).toMatch(/under noise of sigma 0\.5: 9\d\.\d%/);
    expect(await shell(here(command('models check')))).toMatch(/^digits: opened in onnxruntime-node/);
  });

  it('lists every environment variable with its default and its meaning', () => {
    const text = readme.replace(/ +/g, ' ');
    const properties = EnvironmentSchema.properties as unknown as Record<string, Described>;
    for (const [name, { default: value, description }] of Object.entries(properties)) {
      const shown = value === undefined ? '' : ` \`${String(value)}\``;
      expect(text).toContain(`| \`${name}\` |${shown} | ${description} |`);
    }
  });

  it('names only files that exist', async () => {
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!);
    for (const link of links.filter((each) => !each.startsWith('http'))) await readFile(join(ROOT, link));
  });
});
