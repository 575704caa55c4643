import type { Command } from 'commander';
import {
  CALCULATOR_LIMITS,
  POWER_DEFAULT,
  sampleSizeReport,
  type SampleSizeReport,
} from '../../smoothing/calculators.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { formatCount } from '../../report/format.ts';
import { NumberOptions } from '../number-options.ts';
import { writeLine } from '../terminal.ts';
import { refuseFaults } from '../usage-error.ts';

/** Above one half; the least double above it is no number to write in a message. */
const EXPECTED_PA = { minimum: 0.500_000_1, maximum: 1, integer: false } as const;

interface SampleSizeOptions {
  readonly radius?: string;
  readonly sigma?: string;
  readonly alpha?: string;
  readonly expectedPa?: string;
  readonly power?: string;
  readonly bound?: string;
  readonly of?: string;
  readonly json?: true;
}

/** `smoothcert sample-size`: how many samples a radius takes. Pure; no service is asked. */
export function addSampleSizeCommand(program: Command, { terminal, end }: CommandContext): void {
  program
    .command('sample-size')
    .summary('the samples that a radius takes')
    .description('Computes how many noisy samples are needed to certify a radius.')
    .option('--radius <R>', 'the L2 radius to certify')
    .option('--sigma <sd>', 'noise s.d. in pixel units of the [0,1] image')
    .option('--alpha <probability>', 'failure probability')
    .option('--expected-pa <probability>', 'expected probability of a vote for the top class, above 0.5')
    .option('--power <probability>', `how surely to reach the radius then; ${POWER_DEFAULT} without it`)
    .option('--bound <form>', 'pA, or pA-pB for the two-sided form, whatever the other classes get')
    .option('--of <n>', 'also: how many of n votes certify the radius')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  $ smoothcert sample-size --radius 1 --sigma 0.5 --alpha 0.001 --expected-pa 0.99',
    )
    .action(({ json, bound = 'pA', ...texts }: SampleSizeOptions) => {
      const numbers = new NumberOptions(texts);
      const { radius, sigma, alpha, power, n } = CALCULATOR_LIMITS;
      const question = {
        radius: numbers.required('radius', radius),
        sigma: numbers.required('sigma', sigma),
        alpha: numbers.required('alpha', alpha),
        bound: bound as 'pA',
        expectedPA: numbers.optional('expected-pa', EXPECTED_PA),
        power: numbers.optional('power', power),
        n: numbers.optional('of', n),
      };
      refuseFaults([
        ...numbers.faults,
        ...(['pA', 'pA-pB'].includes(bound) ? [] : [{ pointer: '--bound', detail: 'must be pA or pA-pB' }]),
        ...(texts.power !== undefined && texts.expectedPa === undefined
          ? [{ pointer: '--power', detail: 'needs --expected-pa' }]
          : []),
      ]);
      const report = sampleSizeReport(question);
      writeLine(terminal.stdout, json ? JSON.stringify(report, null, 2) : sampleSizeText(report, question));
      end(EXIT.ok);
    });
}

type Question = Parameters<typeof sampleSizeReport>[0];

function sampleSizeText(
  report: SampleSizeReport,
  { expectedPA, power = POWER_DEFAULT, n }: Question,
): string {
  const samples = (count: number | null, more = ''): string =>
    count === null ? 'no number of samples is enough' : `${formatCount(count)} samples${more}`;
  const rows = [['all votes alike', samples(report.unanimous)]];
  if (expectedPA !== undefined) {
    const name = `p_A ${expectedPA}, power ${power}`;
    rows.push([name, samples(report.planned, ', and any more')]);
  }
  if (n !== undefined) {
    const count = report.smallestCount;
    rows.push([
      `of ${formatCount(n)} samples`,
      count === null ? 'not even all votes' : `${formatCount(count)} votes`,
    ]);
  }
  const width = 2 + Math.max(...rows.map(([name]) => name!.length));
  return rows.map(([name, answer]) => name!.padEnd(width) + answer!).join('\n');
}
