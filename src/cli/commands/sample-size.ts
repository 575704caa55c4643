import type { Command } from 'commander';
import { sampleSizeReport, type SampleSizeReport } from '../../smoothing/calculators.ts';
import { PARAMETER_LIMITS } from '../../smoothing/parameters.ts';
import { EXIT } from '../exit-code.ts';
import { formatCount } from '../../report/format.ts';
import { NumberOptions } from '../number-options.ts';
import { type Terminal, writeLine } from '../terminal.ts';
import { refuseFaults } from '../usage-error.ts';
import { CALCULATOR_SIGMA } from './radius.ts';

const RADIUS = { minimum: 0, maximum: 1e9, integer: false } as const;
/** Above one half; the least double above it is no number to write in a message. */
const EXPECTED_PA = { minimum: 0.500_000_1, maximum: 1, integer: false } as const;

interface SampleSizeOptions {
  readonly radius?: string;
  readonly sigma?: string;
  readonly alpha?: string;
  readonly expectedPa?: string;
  readonly of?: string;
  readonly json?: true;
}

/** `smoothcert sample-size`: how many samples a radius takes. Pure; no service is asked. */
export function addSampleSizeCommand(
  program: Command,
  terminal: Terminal,
  end: (code: number) => void,
): void {
  program
    .command('sample-size')
    .summary('the samples that a radius takes')
    .description('Computes how many noisy samples are needed to certify a radius.')
    .option('--radius <R>', 'the L2 radius to certify')
    .option('--sigma <sd>', 'noise s.d. in pixel units of the [0,1] image')
    .option('--alpha <probability>', 'failure probability')
    .option('--expected-pa <share>', 'expected share of votes for the top class, above 0.5')
    .option('--of <n>', 'also: how many of n votes certify the radius')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  $ smoothcert sample-size --radius 1 --sigma 0.5 --alpha 0.001 --expected-pa 0.99',
    )
    .action(({ json, ...texts }: SampleSizeOptions) => {
      const numbers = new NumberOptions(texts);
      const question = {
        radius: numbers.required('radius', RADIUS),
        sigma: numbers.required('sigma', CALCULATOR_SIGMA),
        alpha: numbers.required('alpha', PARAMETER_LIMITS.alpha),
        expectedPA: numbers.optional('expected-pa', EXPECTED_PA),
        n: numbers.optional('of', PARAMETER_LIMITS.n),
      };
      refuseFaults(numbers.faults);
      const report = sampleSizeReport(question);
      writeLine(terminal.stdout, json ? JSON.stringify(report, null, 2) : sampleSizeText(report, question));
      end(EXIT.ok);
    });
}

type Question = Parameters<typeof sampleSizeReport>[0];

function sampleSizeText(report: SampleSizeReport, { expectedPA, n }: Question): string {
  const samples = (count: number | null): string =>
    count === null ? 'no number of samples is enough' : `${formatCount(count)} samples`;
  const lines = [`all votes alike      ${samples(report.unanimous)}`];
  if (expectedPA !== undefined) lines.push(`a share of ${expectedPA}`.padEnd(21) + samples(report.expected));
  if (n !== undefined) {
    const count = report.smallestCount;
    const votes = count === null ? 'not even all votes' : `${formatCount(count)} votes`;
    lines.push(`of ${formatCount(n)} samples`.padEnd(21) + votes);
  }
  return lines.join('\n');
}
