import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import type { Starters } from '../../../src/cli/starters.ts';
import { SOFTWARE } from '../../../src/version.ts';
import { captureTerminal } from '../../support/captured-terminal.ts';

const refuse = async (): Promise<never> => {
  throw new Error('this command starts nothing');
};
const STARTERS: Starters = {
  startApi: refuse,
  startWorker: refuse,
  startStandalone: refuse,
  startTrial: refuse,
};

async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const terminal = captureTerminal();
  const status = await runProgram(args, STARTERS, terminal);
  return { status, stdout: terminal.stdout.text(), stderr: terminal.stderr.text() };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smoothcert-test-program-'));
  await writeFile(join(folder, 'a.png'), 'not a picture');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const COMMANDS = ['serve', 'api', 'worker', 'certify', 'predict', 'radius', 'sample-size', 'models', 'demo'];

describe('help', () => {
  it('lists every command and what the exit statuses mean', async () => {
    const { status, stdout } = await run('--help');
    expect(status).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    expect(stdout).toContain('130  interrupted');
  });

  it.each(COMMANDS)('%s has one, with an example', async (command) => {
    const { status, stdout, stderr } = await run(command, '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Examples?:/);
    expect(stdout).toMatch(new RegExp(`\\$ .*smoothcert ${command}`));
    expect(stderr).toBe('');
  });

  it('prints the version', async () => {
    expect(await run('--version')).toEqual({ status: 0, stdout: `${SOFTWARE.version}\n`, stderr: '' });
  });
});

describe('usage errors have status 2', () => {
  it.each([
    ['an unknown command', ['certfy']],
    ['an unknown option', ['radius', '--vote', '1']],
    ['an option without its value', ['radius', '--votes']],
    ['no image', ['certify']],
    ['no command', []],
  ])('%s', async (_, args) => {
    const { status, stdout, stderr } = await run(...args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
  });

  it('suggests what was meant', async () => {
    expect((await run('certfy')).stderr).toContain('Did you mean certify?');
  });
});

describe('a command line that is refused', () => {
  const net = fileURLToPath(new URL('../../../models/mnist-cnn/model.onnx', import.meta.url));

  it.each([
    ['radius'],
    ['sample-size', '--radius', '-1'],
    ['certify', net, '--n', 'many'],
    ['certify', net, '--n', '2'],
    ['predict', net, '--alpha', '0.9'],
    ['certify', 'nowhere.png', '--model', 'mnist-cnn'],
    ['serve', '--port', 'one'],
    ['models', 'add', net, '--name', 'own', '--layout', 'HWC'],
    ['models', 'add', net, '--name', 'own', '--labels', 'nowhere.txt', '--models', 'nowhere'],
    ['models', 'add', net, '--name', 'own', '--classes', '9', '--models', 'nowhere'],
  ])('%s %s %s %s %s %s: speaks of no request, since none was sent', async (...args) => {
    const { status, stderr } = await run(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^smoothcert: .+\n {2}\S/);
    expect(stderr).not.toMatch(/request/i);
  });
});

describe('radius', () => {
  const ARGS = ['radius', '--votes', '7312', '--of', '10000', '--alpha', '0.001', '--sigma', '0.5'];

  it('gives the known answer as JSON', async () => {
    const { status, stdout } = await run(...ARGS, '--json');
    expect(status).toBe(0);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    // scipy.stats.beta.ppf(0.001, 7312, 2689) and 0.5 * norm.ppf of it
    expect(report['pALowerBound']).toBeCloseTo(0.717_297_416_4, 9);
    expect(report['certifiedRadius']).toBeCloseTo(0.287_415_819, 8);
    expect(report['outcome']).toBe('certified');
  });

  it('tells people the same, rounded down', async () => {
    const { stdout } = await run(...ARGS);
    expect(stdout).toContain('0.717297');
    expect(stdout).toMatch(/certified radius +0\.2874\n/);
  });

  it('calls an abstention one, and says what would have been needed', async () => {
    const { status, stdout } = await run(
      'radius',
      '--votes',
      '5100',
      '--of',
      '10000',
      '--alpha',
      '0.001',
      '--sigma',
      '0.5',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/abstained +5,156 of 10,000 votes would certify/);
  });

  it('uses the two-sided form with a runner-up', async () => {
    const { status, stdout } = await run(...ARGS, '--runner-up', '1000', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'certified', pBUpperBound: expect.any(Number) });
    expect((await run(...ARGS, '--runner-up', '1000')).stdout).toContain('others at most');
  });

  it('names every bad argument with its range', async () => {
    const { status, stdout, stderr } = await run(
      'radius',
      '--votes',
      '-1',
      '--of',
      '0',
      '--alpha',
      '0.7',
      '--sigma',
      'big',
    );
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('--votes: must be an integer from 0 to 10000000; got -1');
    expect(stderr).toContain('--of: must be an integer from 1 to 10000000; got 0');
    expect(stderr).toContain('--alpha: must be a number from 1e-12 to 0.25; got 0.7');
    expect(stderr).toContain('--sigma: must be a number from 0.000001 to 1000000; got big');
  });

  it('names every missing argument', async () => {
    const { status, stderr } = await run('radius');
    expect(status).toBe(2);
    for (const name of ['votes', 'of', 'alpha', 'sigma']) expect(stderr).toContain(`--${name}: is required`);
  });

  it('refuses more votes than there are', async () => {
    const args = ['--of', '10', '--alpha', '0.01', '--sigma', '1'];
    expect((await run('radius', '--votes', '11', ...args)).stderr).toContain(
      '--votes: must be an integer from 0 to --of, 10',
    );
    expect((await run('radius', '--votes', '8', '--runner-up', '3', ...args)).stderr).toContain(
      '--runner-up: must be an integer from 0 to 2',
    );
  });
});

describe('sample-size', () => {
  const ARGS = ['sample-size', '--radius', '1', '--sigma', '0.5', '--alpha', '0.001'];

  it('gives the least number of unanimous votes', async () => {
    const { status, stdout } = await run(...ARGS, '--json');
    expect(status).toBe(0);
    // the least n with 0.001^(1/n) >= Φ(2): ln 0.001 / ln 0.977249868 = 300.2
    expect(JSON.parse(stdout)).toEqual({ unanimous: 301, planned: null, smallestCount: null });
  });

  it('answers all questions as text', async () => {
    const { stdout } = await run(...ARGS, '--expected-pa', '0.99', '--of', '1000');
    expect(stdout).toMatch(/all votes alike +301 samples/);
    // SciPy, one n after another: from 2,347 on binom.sf(k - 1, n, 0.99) is 0.95 or more.
    expect(stdout).toMatch(/p_A 0\.99, power 0\.95 +2,347 samples, and any more/);
    expect(stdout).toMatch(/of 1,000 samples +\d+ votes/);
  });

  it('plans for another power and for the two-sided form, and refuses what belongs to neither', async () => {
    const asked = [...ARGS, '--expected-pa', '0.99', '--json'];
    const planned = async (...more: string[]): Promise<number> =>
      (JSON.parse((await run(...asked, ...more)).stdout) as { planned: number }).planned;
    const usual = await planned();
    expect(await planned('--power', '0.95')).toBe(usual);
    expect(await planned('--power', '0.999')).toBeGreaterThan(usual);
    expect(await planned('--bound', 'pA-pB')).toBeGreaterThan(usual);
    const { status, stderr } = await run(...ARGS, '--power', '0.9', '--bound', 'pB');
    expect(status).toBe(2);
    expect(stderr).toContain('--power: needs --expected-pa');
    expect(stderr).toContain('--bound: must be pA or pA-pB');
    expect((await run(...asked, '--power', '1')).stderr).toContain(
      '--power: must be a number from 0.5 to 0.999999',
    );
  });

  it('says where no number is enough', async () => {
    const { status, stdout } = await run(...ARGS, '--expected-pa', '0.9', '--of', '100');
    expect(status).toBe(0);
    expect(stdout).toContain('no number of samples is enough');
    expect(stdout).toContain('not even all votes');
  });

  it('refuses a share that is no majority', async () => {
    const { status, stderr } = await run(...ARGS, '--expected-pa', '0.5');
    expect(status).toBe(2);
    expect(stderr).toContain('--expected-pa: must be a number from');
  });
});

describe('certify and predict check before anything is started', () => {
  it('reports values that are not allowed', async () => {
    const { status, stderr } = await run('certify', join(folder, 'a.png'), '--n', '0', '--alpha', '1');
    expect(status).toBe(2);
    expect(stderr).toContain('--n: n must be an integer from 1 to 10000000');
    expect(stderr).toContain('--alpha: alpha must be');
  });

  it('reports files that cannot be read', async () => {
    const { status, stderr } = await run('predict', join(folder, 'none.png'));
    expect(status).toBe(2);
    expect(stderr).toContain('none.png: cannot be read (there is no such file)');
  });

  it('reports an address that is none', async () => {
    const { status, stderr } = await run('certify', join(folder, 'a.png'), '--server', 'nowhere');
    expect(status).toBe(2);
    expect(stderr).toContain('--server: must be an http:// or https:// URL');
  });

  it('has status 3 where no service answers', async () => {
    const { status, stderr } = await run('certify', join(folder, 'a.png'), '--server', 'http://127.0.0.1:1');
    expect(status).toBe(3);
    expect(stderr).toBe('smoothcert: the service at http://127.0.0.1:1 cannot be reached\n');
  });

  it('names every image that the model cannot take, and the model that there is not', async () => {
    const readme = fileURLToPath(new URL('../../../README.md', import.meta.url));
    const seven = fileURLToPath(new URL('../../../examples/mnist/00000.png', import.meta.url));
    const page = fileURLToPath(new URL('../../../docs/report.png', import.meta.url));
    const { status, stderr } = await run('certify', seven, readme, page, '--model', 'mnist-cnn');
    expect(status).toBe(2);
    expect(stderr).toContain(`${readme}: `);
    expect(stderr).toContain(
      `${page}: the image is 1080 x 1650 pixels (width x height); the model takes 28 x 28`,
    );
    expect(stderr).not.toContain(`${seven}: `);
    const misspelt = await run('predict', seven, '--model', 'mnist');
    expect(misspelt.status).toBe(2);
    expect(misspelt.stderr).toContain(
      '--model: there is no model "mnist"; there are: fashion-mnist-cnn, fashion-mnist-tensorflow, mnist-cnn',
    );
  });

  it('shows no stack when something unexpected happens', async () => {
    const seven = fileURLToPath(new URL('../../../examples/mnist/00000.png', import.meta.url));
    const { status, stderr } = await run('certify', seven, '--model', 'mnist-cnn');
    expect(status).toBe(1);
    expect(stderr).toBe('smoothcert: this command starts nothing\n');
  });
});

describe('api and worker', () => {
  it.each(['api', 'worker'])('%s names the variable that it needs', async (command) => {
    const { status, stderr } = await run(command);
    expect(status).toBe(2);
    expect(stderr).toContain('REDIS_URL: is required by this command');
  });

  it('name an option whose value is not allowed', async () => {
    const { status, stderr } = await run('serve', '--port', 'http');
    expect(status).toBe(2);
    expect(stderr).toContain('--port: must be an integer from 0 to 65535');
  });
});

describe('demo', () => {
  it('knows only models with example images', async () => {
    const { status, stderr } = await run('demo', '--model', 'resnet50');
    expect(status).toBe(2);
    expect(stderr).toContain('mnist-cnn, fashion-mnist-cnn, fashion-mnist-tensorflow; got resnet50');
  });
});
