import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificationResult, PredictionResult } from '../../src/contract/resources.ts';
import { type Command, ROOT, runCommand, startCommand } from '../support/command-line.ts';
import { undecodablePng } from '../support/image-bytes.ts';
import { descendantsOf } from '../support/live-processes.ts';
import { untilAllGone } from '../support/processes.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const IMAGES = ['examples/mnist/00000.png', 'examples/mnist/00001.png'];
const LABELS = ['--labels', 'examples/mnist/labels.json'];

const at = useTemporaryDirectory();

/** A new folder for a command's temporary files. */
async function makeFolder(name: string): Promise<string> {
  await mkdir(at(name));
  return at(name);
}

/** Waits for what a command says on stderr; a command that ends first fails the test with all it said. */
async function untilSaid(command: Command, text: string): Promise<void> {
  const said = until(() => command.stderr().includes(text), { what: `"${text}"` });
  const ended = command.ended.then(({ status, stderr }) => {
    throw new Error(`it ended with status ${status} before it said "${text}":\n${stderr}`);
  });
  ended.catch(() => undefined);
  await Promise.race([said, ended]);
}

// Each starts processes of its own, and mostly waits for them.
describe.concurrent('the built program', () => {
  it('can be run as a file', async () => {
    const program = join(ROOT, 'dist/main/cli.js');
    expect((await readFile(program, 'utf8')).startsWith('#!/usr/bin/env node\n')).toBe(true);
    expect((await stat(program)).isFile()).toBe(true);
  });

  it('computes the radius of the known votes', async () => {
    const { status, stdout, stderr } = await runCommand(
      'radius --votes 7312 --of 10000 --alpha 0.001 --sigma 0.5 --json'.split(' '),
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/"pALowerBound": 0\.717297\d+/);
    expect(stdout).toMatch(/"certifiedRadius": 0\.28741\d+/);
  });

  it('computes a sample size', async () => {
    const { status, stdout } = await runCommand(
      'sample-size --radius 1 --sigma 0.5 --alpha 0.001 --json'.split(' '),
    );
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ unanimous: 301 });
  });

  it('lists the models', async () => {
    const { status, stdout } = await runCommand(['models', '--json']);
    expect(status).toBe(0);
    const names = (JSON.parse(stdout) as { models: { name: string }[] }).models.map(({ name }) => name);
    expect(names).toEqual(['fashion-mnist-cnn', 'fashion-mnist-tensorflow', 'mnist-cnn']);
  });

  it('has status 2 and names every fault of a wrong call', async () => {
    const { status, stdout, stderr } = await runCommand(['radius', '--votes', '3', '--of', 'x']);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    for (const name of ['--of', '--alpha', '--sigma']) expect(stderr).toContain(`\n  ${name}: `);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('has status 2 where a variable is not allowed', async () => {
    const { status, stderr } = await runCommand(['serve'], { SMOOTHCERT_PORTT: '1', SMOOTHCERT_PORT: 'x' });
    expect(status).toBe(2);
    expect(stderr).toContain('SMOOTHCERT_PORTT: is not a known variable');
    expect(stderr).toContain('SMOOTHCERT_PORT: must be an integer from 0 to 65535');
  });

  it('shows the stack of an error to whoever debugs, and to nobody else', async () => {
    const call = ['models', '--models', at('none')];
    expect((await runCommand(call)).stderr).not.toMatch(/^\s+at /m);
    expect((await runCommand(call, { LOG_LEVEL: 'debug' })).stderr).toMatch(/^\s+at /m);
  });

  it('ends quietly when nobody reads on', async () => {
    const command = startCommand(['--help']);
    command.child.stdout!.destroy();
    const { stderr } = await command.ended;
    expect(stderr).toBe('');
  });
});

describe.concurrent('certify, with everything in one process', () => {
  it('of a folder with its labels ends with totals and a report, and says nothing that looks like an error', async () => {
    const own = await makeFolder('own');
    const images = join(own, 'own images');
    await mkdir(images);
    for (const index of [0, 1, 2])
      await copyFile(join(ROOT, `examples/mnist/0000${index}.png`), join(images, `${index}.png`));
    await writeFile(join(images, 'labels.csv'), 'file,label\n0.png,7\n1.png,2\n2.png,0\n');
    const report = join(own, 'own.html');
    const { status, stdout, stderr } = await runCommand([
      ...'certify --model mnist-cnn --n 1000 --labels'.split(' '),
      join(images, 'labels.csv'),
      '--report',
      report,
      images,
    ]);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^3 images: 3 certified \(2 correct, 1 wrong\), 0 abstained; /m);
    // Clopper-Pearson of 2 of 3: scipy.stats.beta.ppf(.025, 2, 2) = .09430, beta.ppf(.975, 3, 1) = .99160
    expect(stdout).toMatch(/^ {2}0\.0 {3}66\.6% {2}2 of 3 {2}9\.4% to 99\.2%$/m);
    expect(stdout).toMatch(/^average certified radius: 0\.\d{4}$/m);
    for (const line of stderr.trimEnd().split('\n')) {
      expect(line).toMatch(/^(queued|running|succeeded) \d+%, \d of 3 inputs, /);
    }
    const page = await readFile(report, 'utf8');
    expect(page).toContain('1.png');
    expect(page).toContain('certified, but wrong');
    expect(page).toContain(`&#39;${images}&#39;`);
  });

  it('prints the results as the API gives them, and leaves nothing behind', async () => {
    const temporary = await makeFolder('whole');
    const command = startCommand(
      ['certify', ...IMAGES, '--model', 'mnist-cnn', ...LABELS, '--n', '2000', '--json'],
      { TMPDIR: temporary },
    );
    await untilSaid(command, 'samples');
    const processes = descendantsOf(command.child.pid!);
    expect(processes.length).toBeGreaterThanOrEqual(2);
    const { status, stdout, stderr } = await command.ended;
    expect(status, stderr).toBe(0);
    const results = JSON.parse(stdout) as CertificationResult[];
    expect(results.map(({ inputId }) => inputId)).toEqual(IMAGES);
    for (const [index, label] of [7, 2].entries()) {
      const result = results[index]!;
      expect(result).toMatchObject({
        status: 'decided',
        outcome: 'certified',
        prediction: { class: label },
        reference: { label, correct: true },
        certificate: { n: 2000, n0: 100, sigma: 0.5, noise: { seedSource: 'server' } },
      });
      expect(result.certifiedRadius).toBeGreaterThan(0.5);
    }
    await untilAllGone(processes);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('draws the same votes again from a seed, and says that they claim nothing', async () => {
    const seed = 'c0ffee'.padEnd(64, '0');
    const call = ['certify', IMAGES[0]!, '--model', 'mnist-cnn', '--n', '1000', '--seed', seed];
    const [first, second] = await Promise.all([runCommand(call), runCommand(call)]);
    expect(first.status, first.stderr).toBe(0);
    expect(first.stdout).toMatch(
      /examples\/mnist\/00000\.png │ reproduced │ 7 +│ certified, radius 1\.\d{4} │ .* of 1,000 │/,
    );
    expect(first.stderr).toContain('warning: the seed is the client’s');
    expect(second.stdout).toBe(first.stdout);
  });

  it('reports the faults of the request by file, and asks for the model', async () => {
    const { status, stderr } = await runCommand(['certify', IMAGES[0]!]);
    expect(status).toBe(2);
    expect(stderr).toContain(
      '--model: is required, since there are several: fashion-mnist-cnn, fashion-mnist-tensorflow, mnist-cnn',
    );
  });

  it('has status 1 when an input fails, and keeps the others', async () => {
    const damaged = at('damaged.png');
    await writeFile(damaged, undecodablePng());
    const { status, stdout } = await runCommand([
      'certify',
      IMAGES[0]!,
      damaged,
      '--model',
      'mnist-cnn',
      '--n',
      '200',
      '--json',
    ]);
    expect(status).toBe(1);
    const results = JSON.parse(stdout) as CertificationResult[];
    expect(results.map((result) => result.status)).toEqual(['decided', 'failed']);
    expect(results[1]?.error?.code).toBe('input_undecodable');
  });
});

describe('a running service', () => {
  let service: Command;
  let url: string;

  beforeAll(async () => {
    service = startCommand(['serve', '--port', '0', '--data', at('data')], {
      LOG_LEVEL: 'warn',
      SMOOTHCERT_MODELS: 'mnist-cnn',
    });
    const line = await until(
      () => /^Smoothcert listens on (\S+) {2}\(docs: \S+\/docs\)\n$/.exec(service.stdout()),
      {
        what: 'the line with the address',
      },
    );
    url = line[1]!;
  });
  afterAll(async () => {
    const processes = descendantsOf(service.child.pid!);
    service.child.kill('SIGTERM');
    await service.ended;
    await untilAllGone(processes);
  });

  it('is used by certify', async () => {
    const { status, stdout, stderr } = await runCommand([
      'certify',
      IMAGES[0]!,
      '--server',
      url,
      '--model',
      'mnist-cnn',
      ...LABELS,
      '--n',
      '500',
    ]);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/00000\.png │ 7 +│ 7 +│/);
    const listed = (await (await fetch(`${url}/v1/certifications`)).json()) as { data: unknown[] };
    expect(listed.data).toHaveLength(1);
  });

  it('draws the votes of one image of a job again, by seed and index', async () => {
    const call = ['--server', url, '--model', 'mnist-cnn', '--n', '2000', '--json'];
    // Its votes are divided over several classes.
    const hard = 'examples/mnist/00018.png';
    const first = await runCommand(['certify', IMAGES[0]!, hard, ...call]);
    const { certificate } = (JSON.parse(first.stdout) as CertificationResult[])[1]!;
    const { noise, input, selectionVotes, estimationVotes } = certificate!;
    expect(input.index).toBe(1);
    const again = ['--seed', noise.seed, '--index', String(input.index)];
    const second = await runCommand(['certify', hard, ...call, ...again]);
    expect(second.status, second.stderr).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject([
      {
        outcome: 'reproduced',
        certificate: null,
        reproduction: { input, selectionVotes, estimationVotes, noise: { seed: noise.seed } },
      },
    ]);
    expect(second.stderr).toContain('warning: the seed is the client’s');
  });

  it('is used by predict', async () => {
    const { status, stdout } = await runCommand([
      'predict',
      ...IMAGES,
      '--server',
      `${url}/`,
      '--model',
      'mnist-cnn',
      '--n',
      '300',
      '--json',
    ]);
    expect(status).toBe(0);
    const results = JSON.parse(stdout) as PredictionResult[];
    expect(results.map(({ prediction }) => prediction?.class)).toEqual([7, 2]);
  });

  it('has its refusals told by option and file', async () => {
    const { status, stderr } = await runCommand([
      'certify',
      'examples/fashion-mnist/00000.png',
      '--server',
      url,
      '--model',
      'mnist-cnn',
      '--seed',
      'xyz',
    ]);
    expect(status).toBe(2);
    expect(stderr).toContain('\n  --seed: ');
  });

  it('is asked to cancel when certify is interrupted', async () => {
    const command = startCommand([
      'certify',
      ...IMAGES,
      '--server',
      url,
      '--model',
      'mnist-cnn',
      '--n',
      '5000000',
    ]);
    await untilSaid(command, 'running');
    command.child.kill('SIGINT');
    const { status, stdout, stderr } = await command.ended;
    expect(status).toBe(130);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/smoothcert: interrupted\n$/);
    const listed = (await (await fetch(`${url}/v1/certifications`)).json()) as { data: { status: string }[] };
    expect(listed.data[0]?.status).toBe('cancelled');
  });
});

describe.concurrent('Ctrl-C', () => {
  it('cancels a long certify: status 130, no process and no file left', async () => {
    const temporary = await makeFolder('interrupted');
    const command = startCommand(['certify', ...IMAGES, '--model', 'mnist-cnn', '--n', '5000000'], {
      TMPDIR: temporary,
    });
    await untilSaid(command, 'running');
    const processes = descendantsOf(command.child.pid!);
    expect(processes.length).toBeGreaterThanOrEqual(2);
    command.child.kill('SIGINT');
    const { status, stdout, stderr } = await command.ended;
    expect({ status, stdout }).toEqual({ status: 130, stdout: '' });
    expect(stderr).toMatch(/smoothcert: interrupted\n$/);
    await untilAllGone(processes);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('twice ends the command at once, and its children with it', async () => {
    const command = startCommand(['certify', ...IMAGES, '--model', 'mnist-cnn', '--n', '5000000'], {
      TMPDIR: await makeFolder('twice'),
    });
    await untilSaid(command, 'running');
    const processes = descendantsOf(command.child.pid!);
    command.child.kill('SIGINT');
    command.child.kill('SIGTERM');
    const { status } = await command.ended;
    expect([130, 143]).toContain(status);
    await untilAllGone(processes);
  });
});
