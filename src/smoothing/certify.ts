import type { CertifyParameters } from './parameters.ts';
import { requireVotes, type Procedure, type Step, type Tally } from './procedure.ts';
import { runnerUpClass, topClass, type Votes } from './votes.ts';
import { type RadiusFromVotes, radiusFromVotes } from './votes-to-radius.ts';

/** The outcome of CERTIFY for one input. An abstention claims nothing: no class, no radius. */
export interface CertifyResult extends RadiusFromVotes {
  /** Class selected from the n0 selection draws; the claim is about it. */
  readonly selectedClass: number;
  /** n_A: estimation votes for the selected class. */
  readonly topCount: number;
  readonly selectionVotes: Votes;
  readonly estimationVotes: Votes;
}

/**
 * CERTIFY with a fixed number of samples (Cohen, Rosenfeld, Kolter 2019, section 3.2.2 and Theorem 1).
 *
 * The class comes from the n0 selection draws alone and the bound from the n estimation draws alone. Both have their own
 * noise, so they are asked for at once: neither draw depends on the other's votes.
 *
 * @param totalVariation total variation between the noise drawn and the exact Gaussian over the whole input, which every
 *   probability may be off by; it is taken off the bound before it is rounded
 */
export function certifyProcedure(
  parameters: CertifyParameters,
  totalVariation: number,
): Procedure<CertifyResult> {
  const { n0, n } = parameters;
  return {
    plannedSamples: n0 + n,
    next(tally: Tally): Step<CertifyResult> {
      if (tally.selection === undefined || tally.estimation === undefined) {
        return {
          kind: 'draw',
          draws: [
            { purpose: 'selection', firstSample: 0, count: n0 },
            { purpose: 'estimation', firstSample: 0, count: n },
          ],
        };
      }
      const selection = requireVotes(tally, 'selection', n0);
      const estimation = requireVotes(tally, 'estimation', n);
      return { kind: 'done', result: decide(parameters, selection, estimation, totalVariation) };
    },
  };
}

function decide(
  { sigma, n, alpha, bound }: CertifyParameters,
  selectionVotes: Votes,
  estimationVotes: Votes,
  totalVariation: number,
): CertifyResult {
  const selectedClass = topClass(selectionVotes);
  const topCount = estimationVotes[selectedClass]!;
  const runnerUp = bound === 'pA-pB' ? runnerUpClass(estimationVotes, selectedClass) : null;
  const runnerUpCount = runnerUp === null ? null : estimationVotes[runnerUp]!;
  return {
    selectedClass,
    topCount,
    ...radiusFromVotes({ sigma, n, alpha, topCount, runnerUpCount }, totalVariation),
    selectionVotes,
    estimationVotes,
  };
}
