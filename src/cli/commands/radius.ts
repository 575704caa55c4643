import type { Command } from 'commander';
import type { Fault } from '../../errors.ts';
import { CALCULATOR_LIMITS, radiusReport, type RadiusReport } from '../../smoothing/calculators.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import {
  formatCount,
  formatProbabilityDown,
  formatProbabilityUp,
  formatRadiusDown,
} from '../../report/format.ts';
import { NumberOptions } from '../number-options.ts';
import { writeLine } from '../terminal.ts';
import { refuseFaults } from '../usage-error.ts';

interface RadiusOptions {
  readonly votes?: string;
  readonly of?: string;
  readonly alpha?: string;
  readonly sigma?: string;
  readonly runnerUp?: string;
  readonly json?: true;
}

/** `smoothcert radius`: what counted votes certify. Pure; no service is asked. */
export function addRadiusCommand(program: Command, { terminal, end }: CommandContext): void {
  program
    .command('radius')
    .summary('the radius that counted votes certify')
    .description('Computes the certified L2 radius from votes that were counted anywhere.')
    .option('--votes <count>', 'votes for the selected class, of the estimation draws only')
    .option('--of <n>', 'all votes of the estimation draws')
    .option('--alpha <probability>', 'failure probability')
    .option('--sigma <sd>', 'noise s.d. in pixel units of the [0,1] image')
    .option('--runner-up <count>', 'votes of the largest other class: the two-sided form of Theorem 1')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  $ smoothcert radius --votes 7312 --of 10000 --alpha 0.001 --sigma 0.5',
    )
    .action((options: RadiusOptions) => {
      const question = readQuestion(options);
      const report = radiusReport(question);
      writeLine(
        terminal.stdout,
        options.json ? JSON.stringify(report, null, 2) : radiusText(report, question),
      );
      end(EXIT.ok);
    });
}

type Question = Parameters<typeof radiusReport>[0];

function readQuestion(options: RadiusOptions): Question {
  const { json: _, ...texts } = options;
  const numbers = new NumberOptions(texts);
  const count = { ...CALCULATOR_LIMITS.n, minimum: 0 };
  const topCount = numbers.required('votes', count);
  const n = numbers.required('of', CALCULATOR_LIMITS.n);
  const alpha = numbers.required('alpha', CALCULATOR_LIMITS.alpha);
  const sigma = numbers.required('sigma', CALCULATOR_LIMITS.sigma);
  const runnerUpCount = numbers.optional('runner-up', count);
  refuseFaults([...numbers.faults, ...countFaults(topCount, n, runnerUpCount)]);
  return { topCount, n, alpha, sigma, runnerUpCount };
}

function countFaults(topCount: number, n: number, runnerUpCount: number | undefined): Fault[] {
  if (topCount > n) return [{ pointer: '--votes', detail: `must be an integer from 0 to --of, ${n}` }];
  if (runnerUpCount === undefined || topCount + runnerUpCount <= n) return [];
  const detail = `must be an integer from 0 to ${n - topCount}: --votes and it are at most --of, ${n}`;
  return [{ pointer: '--runner-up', detail }];
}

function radiusText(report: RadiusReport, { topCount, n, alpha, sigma }: Question): string {
  const { certifiedRadius, pALowerBound, pBUpperBound, radiusCeiling, smallestCertifyingCount } = report;
  const votes = `${formatCount(topCount)} of ${formatCount(n)} votes, alpha = ${alpha}, sigma = ${sigma}`;
  const need =
    smallestCertifyingCount === null
      ? `no number of ${formatCount(n)} votes certifies anything at this alpha`
      : `${formatCount(smallestCertifyingCount)} of ${formatCount(n)} votes would certify`;
  return [
    votes,
    `p_A at least      ${formatProbabilityDown(pALowerBound)}`,
    ...(pBUpperBound === null ? [] : [`others at most    ${formatProbabilityUp(pBUpperBound)}`]),
    certifiedRadius === null
      ? `abstained         ${need}`
      : `certified radius  ${formatRadiusDown(certifiedRadius)}`,
    `largest possible  ${formatRadiusDown(radiusCeiling)}`,
  ].join('\n');
}
