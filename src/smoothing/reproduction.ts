import type { CertificateOrigin } from './certificate.ts';
import type { CertifyResult } from './certify.ts';
import type { BoundForm, CertifyParameters, PredictParameters } from './parameters.ts';
import type { PredictResult } from './predict.ts';
import { type SparseVotes, sparseVotes } from './votes.ts';

// Votes drawn again with a seed that the client gave. Whoever knows the seed beforehand can try seeds until the votes suit
// him, so these votes claim nothing, however many they are: a reproduction is no certificate, has none of a certificate's
// names for what it would claim, and is counted nowhere. Compared with the certificate that it repeats, it checks it.

/** Said in the result of every reproduction. */
export const REPRODUCTION_WARNING =
  'the seed is the client’s: these votes repeat those of an earlier result, prove nothing new, and count nowhere';

const FORMAT = 'smoothcert/reproduction/1';

/** The votes of a certificate, drawn again. */
export interface CertifyReproduction extends CertificateOrigin {
  readonly format: typeof FORMAT;
  readonly procedure: 'certify';
  readonly sigma: number;
  readonly n0: number;
  readonly n: number;
  readonly alpha: number;
  readonly bound: BoundForm;
  readonly clip: false;
  readonly selectedClass: number;
  readonly selectionVotes: SparseVotes;
  readonly estimationVotes: SparseVotes;
  /** What a certificate with these votes says, if its seed was drawn after its request. */
  readonly implied: {
    readonly verdict: 'certified' | 'abstained';
    readonly pALowerBound: number;
    readonly pBUpperBound: number | null;
    readonly radius: number | null;
  };
}

/** The votes of a prediction, drawn again. */
export interface PredictReproduction extends CertificateOrigin {
  readonly format: typeof FORMAT;
  readonly procedure: 'predict';
  readonly sigma: number;
  readonly n: number;
  readonly alpha: number;
  readonly topClass: number;
  readonly votes: SparseVotes;
  /** What a prediction with these votes says, if its seed was drawn after its request. */
  readonly implied: { readonly verdict: 'predicted' | 'abstained'; readonly pValue: number };
}

export function certifyReproduction(
  { sigma, n0, n, alpha, bound }: CertifyParameters,
  result: CertifyResult,
  origin: CertificateOrigin,
): CertifyReproduction {
  const { outcome, pALowerBound, pBUpperBound, certifiedRadius } = result;
  return {
    format: FORMAT,
    procedure: 'certify',
    sigma,
    n0,
    n,
    alpha,
    bound,
    clip: false,
    selectedClass: result.selectedClass,
    selectionVotes: sparseVotes(result.selectionVotes),
    estimationVotes: sparseVotes(result.estimationVotes),
    implied: { verdict: outcome, pALowerBound, pBUpperBound, radius: certifiedRadius },
    ...origin,
  };
}

export function predictReproduction(
  { sigma, n, alpha }: PredictParameters,
  { outcome, topClass, votes, pValue }: PredictResult,
  origin: CertificateOrigin,
): PredictReproduction {
  return {
    format: FORMAT,
    procedure: 'predict',
    sigma,
    n,
    alpha,
    topClass,
    votes: sparseVotes(votes),
    implied: { verdict: outcome, pValue },
    ...origin,
  };
}
