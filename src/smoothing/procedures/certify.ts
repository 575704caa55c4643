import { DomainError } from '../../errors.ts';
import type { Certificate, CertificateOrigin } from '../certificate.ts';
import { type AskedParameters, type BoundForm, numericFaults } from '../parameters.ts';
import { requireVotes, type Procedure, type Step, type Tally } from '../procedure.ts';
import { procedureEntry } from '../procedure-entry.ts';
import { type CertifyReproduction, REPRODUCTION_FORMAT } from '../reproduction.ts';
import { runnerUpClass, sparseVotes, topClass, type Votes } from '../votes.ts';
import { alphaPerBound, type RadiusFromVotes, radiusFromVotes } from '../votes-to-radius.ts';

/** What CERTIFY is asked with. `sigma` in pixel units of the [0,1] image. */
export interface CertifyParameters {
  readonly sigma: number;
  readonly n0: number;
  readonly n: number;
  readonly alpha: number;
  readonly bound: BoundForm;
}

/** Cohen et al. 2019, section 4: n0 = 100, n = 100,000, alpha = 0.001. */
export const CERTIFY_DEFAULTS = { n0: 100, n: 100_000, alpha: 0.001, bound: 'pA' } as const;

/** Least number of estimation samples with which unanimous votes give a lower bound above one half. */
export function leastCertifyingN(alpha: number, bound: BoundForm): number {
  // The bound of n unanimous votes is share^(1/n), and share^(1/n) > 1/2 is share > 2^-n, exact in binary.
  const share = alphaPerBound(alpha, bound === 'pA-pB');
  let n = 1;
  while (2 ** -n >= share) n += 1;
  return n;
}

/**
 * Fills in the defaults and checks a certification's parameters, reporting all faults at once.
 *
 * @param pointer JSON pointer of the object, put in front of each fault's pointer
 * @throws DomainError `validation_failed` with every fault, or `cannot_certify` where all values are allowed but even
 *   unanimous votes could not lift the lower bound above one half
 */
export function certifyParameters(asked: AskedParameters, pointer = '/parameters'): CertifyParameters {
  const { sigma, n0, n, alpha, bound } = { ...CERTIFY_DEFAULTS, ...asked };
  const faults = numericFaults({ sigma, n0, n, alpha }, pointer);
  if (bound !== 'pA' && bound !== 'pA-pB') {
    faults.push({ pointer: `${pointer}/bound`, detail: 'bound must be "pA" or "pA-pB"' });
  }
  if (faults.length > 0) throw new DomainError('validation_failed', undefined, faults);
  const least = leastCertifyingN(alpha, bound);
  if (n < least) {
    const detail = `n = ${n} samples cannot certify at alpha = ${alpha}: at least ${least} are needed`;
    throw new DomainError('cannot_certify', detail, [{ pointer: `${pointer}/n`, detail }]);
  }
  return { sigma, n0, n, alpha, bound };
}

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

/** What was asked for, as it stands in documents. */
function asWritten({ sigma, n0, n, alpha, bound }: CertifyParameters) {
  return { procedure: 'certify', sigma, n0, n, alpha, bound, clip: false } as const;
}

/** Joins a decision and its origin into the certificate. */
export function certificate(
  parameters: CertifyParameters,
  result: CertifyResult,
  origin: CertificateOrigin<'server'>,
): Certificate {
  return {
    format: 'smoothcert/certificate/1',
    ...asWritten(parameters),
    outcome: result.outcome,
    selectedClass: result.selectedClass,
    selectionVotes: sparseVotes(result.selectionVotes),
    estimationVotes: sparseVotes(result.estimationVotes),
    pALowerBound: result.pALowerBound,
    pBUpperBound: result.pBUpperBound,
    certifiedRadius: result.certifiedRadius,
    ...origin,
  };
}

function reproduction(
  parameters: CertifyParameters,
  result: CertifyResult,
  origin: CertificateOrigin<'client'>,
): CertifyReproduction {
  const { outcome, pALowerBound, pBUpperBound, certifiedRadius } = result;
  return {
    format: REPRODUCTION_FORMAT,
    ...asWritten(parameters),
    selectedClass: result.selectedClass,
    selectionVotes: sparseVotes(result.selectionVotes),
    estimationVotes: sparseVotes(result.estimationVotes),
    implied: { verdict: outcome, pALowerBound, pBUpperBound, radius: certifiedRadius },
    ...origin,
  };
}

export const certify = procedureEntry({
  parameters: certifyParameters,
  start: certifyProcedure,
  votes: ({ topCount, estimationVotes }: CertifyResult) => ({ topCount, votes: estimationVotes }),
  claim: (parameters, result, origin) => ({
    kind: 'certification' as const,
    outcome: result.outcome,
    class: result.outcome === 'certified' ? result.selectedClass : null,
    certificate: certificate(parameters, result, origin),
  }),
  reproduction,
});
