import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { certificationTable, predictionTable, reproductionTable } from '../../src/cli/result-table.ts';
import type { Starters } from '../../src/cli/starters.ts';
import { renderReport } from '../../src/report/report.ts';
import { accuracyLines, summarise, summaryLine } from '../../src/report/summary.ts';
import { radiusReport } from '../../src/smoothing/calculators.ts';
import { shareInterval } from '../../src/smoothing/evaluation.ts';
import { radiusCeiling } from '../../src/statistics/radius.ts';
import { captureTerminal } from '../support/captured-terminal.ts';
import {
  aCertificate,
  aJob,
  aModel,
  anAbstention,
  aPrediction,
  aReproduction,
  aResult,
} from '../support/certification-samples.ts';
import { compareExactly } from '../support/exact-decimal.ts';

// Every bound that a person reads, in every output: what is printed is read back and compared, exactly, with the double that
// it was made from. Lower bounds and radii are never above it, upper bounds and p-values never below it. That nothing else
// rounds numbers for people is kept by test/architecture.test.ts.

const RUNS = { numRuns: 300 };

/** Doubles on both sides of the decimals that are printed, and anywhere. */
const near = (most: number, digits: number) =>
  fc.oneof(
    fc.double({ min: 0, max: most, noNaN: true }),
    fc.integer({ min: 0, max: most * 10 ** digits }).map((units) => units / 10 ** digits),
  );
const radius = near(10, 4);
const probability = near(1, 6);
const pValue = fc.oneof(
  fc.double({ min: Number.MIN_VALUE, max: 1, noNaN: true }),
  fc
    .tuple(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: 5, max: 320 }))
    .map(([units, exponent]) => Number(`${units}e-${exponent}`)),
);

function expectBelow(printed: string | undefined, value: number): void {
  expect(compareExactly(value, printed!), `${printed} of ${value}`).toBeGreaterThanOrEqual(0);
  expect(value - Number(printed), `${printed} of ${value}`).toBeLessThan(1.000_001e-4);
}
function expectAbove(printed: string | undefined, value: number): void {
  expect(compareExactly(value, printed!), `${printed} of ${value}`).toBeLessThanOrEqual(0);
  expect(Number(printed) - value, `${printed} of ${value}`).toBeLessThan(0.010_000_1 * Math.max(value, 1e-4));
}

/** That the interval of a share is wide enough, in text such as "2 of 3  9.4% to 99.2%". */
function expectInterval(text: string): void {
  const [, count, inputs, low, high] = /(\d+) of (\d+)\D+(\S+)% to (\S+)%/.exec(text)!;
  const exact = shareInterval(Number(count), Number(inputs));
  expect(Number(low), text).toBeLessThanOrEqual(100 * exact.low);
  expect(Number(high), text).toBeGreaterThanOrEqual(100 * exact.high);
  expect(Number(high) - Number(low), text).toBeLessThanOrEqual(100 * (exact.high - exact.low) + 0.200_001);
}

/** The cells of the first row below the head of a table. */
const rowOf = (table: string): string[] =>
  table
    .split('\n')
    .filter((line) => line.startsWith('│'))[1]!
    .split('│')
    .slice(1, -1)
    .map((cell) => cell.trim());
const textOf = (page: string): string =>
  page
    .replaceAll(/<style>[^]*?<\/style>/g, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');
const found = (text: string, pattern: RegExp): string => {
  const match = pattern.exec(text);
  expect(match, `${pattern} in ${text}`).not.toBeNull();
  return match![1]!;
};

const refuse = async (): Promise<never> => {
  throw new Error('this command starts nothing');
};
const STARTERS: Starters = {
  startApi: refuse,
  startWorker: refuse,
  startStandalone: refuse,
  startTrial: refuse,
};

describe('what a person reads is on the safe side of the number', () => {
  it('in the table of certificates', () => {
    fc.assert(
      fc.property(radius, probability, (certifiedRadius, pALowerBound) => {
        const result = aResult({ certifiedRadius, pALowerBound });
        const row = rowOf(certificationTable([result], aModel(), 10_000));
        expectBelow(row[3], certifiedRadius);
        expectBelow(row[4], pALowerBound);
      }),
      RUNS,
    );
  });

  it('in the table of predictions', () => {
    fc.assert(
      fc.property(pValue, (value) => {
        const row = rowOf(predictionTable([aPrediction({ pValue: value })], aModel(), 1_000));
        expectAbove(row[3], value);
      }),
      RUNS,
    );
  });

  it('in the table of reproductions, of both kinds', () => {
    fc.assert(
      fc.property(radius, pValue, (implied, value) => {
        const again = aReproduction();
        const { implied: said, ...rest } = again.reproduction!;
        const certified = { ...again, reproduction: { ...rest, implied: { ...said, radius: implied } } };
        expectBelow(
          found(rowOf(reproductionTable([certified], aModel(), 10_000))[3]!, /radius (\S+)/),
          implied,
        );
        const { sigma, n, alpha, model, input, noise, engine, devices, software } = rest;
        const predicted = aPrediction({
          outcome: 'reproduced',
          pValue: null,
          reproduction: {
            sigma,
            n,
            alpha,
            model,
            input,
            noise,
            engine,
            devices,
            software,
            format: 'smoothcert/reproduction/1',
            procedure: 'predict',
            topClass: rest.selectedClass,
            votes: rest.estimationVotes,
            implied: { verdict: 'predicted', pValue: value },
          },
        });
        const row = rowOf(reproductionTable([predicted], aModel(), 10_000));
        expectAbove(found(row[3]!, /p-value (\S+)/), value);
      }),
      RUNS,
    );
  });

  it('of smoothcert radius, in both forms', async () => {
    const counts = fc
      .tuple(fc.integer({ min: 10, max: 100_000 }), fc.double({ min: 0.5, max: 1, noNaN: true }))
      .chain(([n, share]) => {
        const topCount = Math.round(share * n);
        return fc.record({
          n: fc.constant(n),
          topCount: fc.constant(topCount),
          runnerUpCount: fc.option(fc.integer({ min: 0, max: n - topCount }), { nil: undefined }),
          alpha: fc.constantFrom(0.25, 0.05, 0.001, 1e-9),
          sigma: fc.constantFrom(0.12, 0.25, 0.5, 1),
        });
      });
    await fc.assert(
      fc.asyncProperty(counts, async (question) => {
        const { n, topCount, runnerUpCount, alpha, sigma } = question;
        const terminal = captureTerminal();
        const rival = runnerUpCount === undefined ? [] : ['--runner-up', String(runnerUpCount)];
        const args = ['--votes', topCount, '--of', n, '--alpha', alpha, '--sigma', sigma].map(String);
        expect(await runProgram(['radius', ...args, ...rival], STARTERS, terminal)).toBe(0);
        const text = terminal.stdout.text();
        const report = radiusReport(question);
        expectBelow(found(text, /p_A at least +(\S+)/), report.pALowerBound);
        expectBelow(found(text, /largest possible +(\S+)/), report.radiusCeiling);
        for (const [value, pattern] of [
          [report.pBUpperBound, /others at most +(\S+)/],
          [report.certifiedRadius, /certified radius +(\S+)/],
        ] as const) {
          expect(pattern.test(text)).toBe(value !== null);
        }
        if (report.pBUpperBound !== null) {
          expectAbove(found(text, /others at most +(\S+)/), report.pBUpperBound);
        }
        if (report.certifiedRadius !== null) {
          expectBelow(found(text, /certified radius +(\S+)/), report.certifiedRadius);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('in the report: cards, tooltips, tiles, plot, table and facts', () => {
    fc.assert(
      fc.property(radius, radius, probability, pValue, (first, second, pALowerBound, totalVariation) => {
        const { noise } = aCertificate();
        const certificate = aCertificate({ noise: { ...noise, totalVariation } });
        const results = [
          aResult({ certifiedRadius: first, pALowerBound, certificate }),
          aResult({ certifiedRadius: second }),
          anAbstention(),
        ];
        const job = aJob();
        const summary = summarise(job, results);
        const pictures = { clean: 'data:,', noisy: null };
        const inputs = results.map((result) => ({ result, pictures, source: 'test set' }));
        const page = renderReport({ model: aModel(), job, summary, results, inputs, command: 'smoothcert' });
        const text = textOf(page);
        const { sigma, n, alpha } = job.parameters;
        const ceiling = radiusCeiling(sigma, n, alpha);

        const cards = [...text.matchAll(/certified radius (\d\S*) label/g)].map(([, printed]) => printed);
        expect(cards).toHaveLength(2);
        expectBelow(cards[0], first);
        expectBelow(cards[1], second);
        expectBelow(found(text, /p A at least (\S+)/), pALowerBound);
        const tooltip = found(page, /title="(\S+)% of the largest possible radius"/);
        expect(Number(tooltip)).toBeLessThanOrEqual((100 * first) / ceiling);
        expectBelow(found(text, /average certified radius, (\d+\.\d+)\./), summary.averageCertifiedRadius);
        expectBelow(found(text, /(\S+) average certified radius /), summary.averageCertifiedRadius);
        expectBelow(found(text, /largest possible radius (\S+)/), ceiling);
        expectAbove(found(text, /exact Gaussian at most (\S+)/), totalVariation);
        // Two of three images are correct at radius 0: 66.6 %, not 66.7.
        expect(found(page, /aria-label="certified accuracy against L2 radius: (\S+)% at 0/)).toBe('66.6');
        expectBelow(found(page, /at 0, above 0 up to (\d+\.\d+)"/), Math.max(first, second));
        expectInterval(found(text, / 66\.6% (\(2 of 3\) \S+% to \S+%)/));
        const lines = accuracyLines(summary, job, results);
        for (const line of lines.filter((each) => each.includes(' of 3'))) expectInterval(line);
        const average = found(lines.at(-1)!, /average certified radius: (\S+)/);
        expectBelow(average, summary.averageCertifiedRadius);
        // The line of the demo has counts alone.
        expect(summaryLine(summary)).toMatch(/^3 images: 2 certified \(2 correct, 0 wrong\), 1 abstained;/);
      }),
      RUNS,
    );
  });
});
