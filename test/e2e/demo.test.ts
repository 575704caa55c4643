import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Certification, CertificationResult } from '../../src/contract/resources.ts';
import type { Summary } from '../../src/report/summary.ts';
import { launchChromium } from '../support/chromium.ts';
import { type Ended, ROOT, runCommand, startCommand } from '../support/command-line.ts';
import { descendantsOf, type FoundProcess } from '../support/live-processes.ts';
import { nativeTensorflowObstacle } from '../support/native-tensorflow.ts';
import { untilAllGone } from '../support/processes.ts';
import { until } from '../support/until.ts';

interface Recorded {
  readonly certification: Certification;
  readonly summary: Summary;
  readonly results: readonly CertificationResult[];
}

let folder: string;
let ended: Ended;
let processes: FoundProcess[];
let recorded: Recorded;
let page: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smoothcert-test-demo-'));
  const command = startCommand(['demo', '--n', '2000', '--output', join(folder, 'out')]);
  await until(() => command.stderr().includes('samples,') || command.child.exitCode !== null, {
    what: 'progress of the demo',
  });
  processes = descendantsOf(command.child.pid!);
  ended = await command.ended;
  page = await readFile(join(folder, 'out', 'report.html'), 'utf8').catch(() => '');
  recorded = JSON.parse(await readFile(join(folder, 'out', 'results.json'), 'utf8')) as Recorded;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the demo', () => {
  it('ends with status 0 and leaves no process behind', async () => {
    expect(ended.status, ended.stderr).toBe(0);
    expect(processes.length).toBeGreaterThanOrEqual(2);
    await untilAllGone(processes);
  });

  it('certifies a dozen real images and more over HTTP, the hard one among them', async () => {
    const labels = JSON.parse(await readFile(join(ROOT, 'examples/mnist/labels.json'), 'utf8')) as {
      file: string;
    }[];
    expect(ended.stderr).toMatch(/POST http:\/\/127\.0\.0\.1:\d+\/v1\/certifications/);
    expect(recorded.results.map(({ inputId }) => inputId)).toEqual(labels.map(({ file }) => file));
    expect(recorded.results.length).toBeGreaterThanOrEqual(12);
    expect(recorded.summary.correct).toBeGreaterThanOrEqual(12);
    expect(recorded.summary.abstained).toBeGreaterThanOrEqual(1);
  });

  it('shows progress on stderr, and the table with a summary on stdout', () => {
    const { inputs, correct, wrong, abstained } = recorded.summary;
    expect(ended.stderr).toMatch(/\d+ of \d+ inputs, [\d,]+ of [\d,]+ samples/);
    expect(ended.stdout.match(/^│ \d{5}\.png/gm)).toHaveLength(inputs);
    expect(ended.stdout).toContain('abstained');
    expect(ended.stdout).toMatch(
      new RegExp(
        `^${inputs} images: ${correct + wrong} certified \\(${correct} correct, ${wrong} wrong\\), ` +
          `${abstained} abstained; [\\d,]+ samples in [\\d.]+ s \\([\\d,]+ samples/s\\)$`,
        'm',
      ),
    );
    expect(ended.stdout).toContain(`Report: ${join(folder, 'out', 'report.html')}`);
  });

  it('records the job with its results', () => {
    const { certification, summary, results } = recorded;
    expect(certification).toMatchObject({
      object: 'certification',
      status: 'succeeded',
      parameters: { n: 2000, n0: 100, alpha: 0.001, sigma: 0.5 },
    });
    expect(summary.inputs).toBe(results.length);
    expect(summary.correct + summary.wrong + summary.abstained + summary.failed).toBe(results.length);
  });

  it('writes two files and no more', async () => {
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(['report.html', 'results.json']);
  });
});

describe('the report', () => {
  it('needs nothing but itself', () => {
    expect(page).not.toMatch(/(?:src|href)="(?!data:image\/png;base64,)/);
    expect(page).not.toMatch(/<script|<link|@import|url\(/);
  });

  it('names what is needed to check it', () => {
    const { certificate } = recorded.results[0]!;
    expect(page).toContain(certificate!.model.digest);
    expect(page).toContain(certificate!.noise.seed);
    expect(page).toContain(certificate!.engine.version);
    expect(page).toContain('smoothcert certify --model mnist-cnn --sigma 0.5');
  });
});

describe('the report in a browser', () => {
  let browser: Browser;
  let sheet: Page;
  const complaints: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
    sheet = await browser.newPage({ viewport: { width: 1080, height: 900 }, offline: true });
    sheet.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    sheet.on('pageerror', (error) => complaints.push(error.message));
    sheet.on('request', (request) => requests.push(request.url()));
    await sheet.goto(pathToFileURL(join(folder, 'out', 'report.html')).href);
  });
  afterAll(async () => {
    await browser?.close();
  });

  it('loads offline without a complaint and without asking for anything else', () => {
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !url.startsWith('data:'))).toHaveLength(1);
  });

  it('shows every image beside its noisy sample', async () => {
    const sizes = await sheet
      .locator('article img')
      .evaluateAll((images) =>
        images.map((image) => (image as unknown as { naturalWidth: number }).naturalWidth),
      );
    expect(sizes).toHaveLength(2 * recorded.results.length);
    expect(new Set(sizes)).toEqual(new Set([28]));
  });

  it('draws the curve of certified accuracy', async () => {
    const box = await sheet.locator('svg.wide .curve').boundingBox();
    expect(box?.width).toBeGreaterThan(500);
    expect(box?.height).toBeGreaterThan(100);
    const label = await sheet.locator('svg.wide').getAttribute('aria-label');
    const { correct, inputs } = recorded.summary;
    // Rounded down, in tenths of a per cent.
    const percent = (Math.floor((1000 * correct) / inputs) / 10).toFixed(1);
    expect(label).toContain(`${percent}% at 0`);
  });

  it('marks the abstention as one, without a class and without a radius', async () => {
    const card = sheet.locator('article.abstained').first();
    const text = await card.innerText();
    expect(text).toContain('No prediction');
    expect(text).toContain('abstained');
    expect(text).toMatch(/certified radius\s+none/);
    expect(await sheet.locator('article.abstained').count()).toBe(recorded.summary.abstained);
  });

  it('is light or dark as the reader has it', async () => {
    const background = () => sheet.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    await sheet.emulateMedia({ colorScheme: 'light' });
    expect(await background()).toBe('rgb(246, 247, 249)');
    await sheet.emulateMedia({ colorScheme: 'dark' });
    expect(await background()).toBe('rgb(17, 21, 27)');
  });

  it.each([360, 1280, 2560])(
    'fits a screen of %i pixels: nothing leaves its card, and the plot can be read',
    async (width) => {
      await sheet.setViewportSize({ width, height: 800 });
      expect(await sheet.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      // Labels and file names as long as those of real data sets are in the cards, not only what the examples have.
      const outside = await sheet.evaluate<string[]>(`(() => {
      for (const each of document.querySelectorAll('dd, .head strong, article > .small'))
        each.textContent = 'black-and-white-warbler_of_the_second_summer.jpeg';
      const right = (each) => each.getBoundingClientRect().right;
      return [...document.querySelectorAll('article, .card, .tile')].flatMap((card) =>
        [...card.querySelectorAll('*:not(svg *)')].filter((each) => right(each) > right(card) + 1).map((each) => each.outerHTML));
    })()`);
      expect(outside).toEqual([]);
      const plot = sheet.locator('svg.plot:visible');
      expect(await plot.count()).toBe(1);
      const drawn = (await plot.boundingBox())!.width;
      const [, , units] = (await plot.getAttribute('viewBox'))!.split(' ');
      // The smallest text is 12 units.
      expect((12 * drawn) / Number(units)).toBeGreaterThanOrEqual(10);
      await sheet.reload();
    },
  );
});

const obstacle = nativeTensorflowObstacle();
if (obstacle !== null) console.log(`demo of the TensorFlow model: not run, ${obstacle}`);

describe('the demo of the other models', () => {
  it.each(['fashion-mnist-cnn', ...(obstacle === null ? ['fashion-mnist-tensorflow'] : [])])(
    'works on the examples of %s',
    async (model) => {
      const output = join(folder, model);
      const { status, stdout, stderr } = await runCommand([
        'demo',
        '--model',
        model,
        '--n',
        '500',
        '--output',
        output,
      ]);
      expect(status, stderr).toBe(0);
      expect(stdout).toContain('Ankle boot');
      expect(stdout).toMatch(/^20 images: \d+ certified \((1[5-9]|20) correct/m);
      expect(await readFile(join(output, 'report.html'), 'utf8')).toContain('σ = 0.25');
    },
  );
});
