import type { CertificateOrigin } from './certificate.ts';
import type { BoundForm } from './parameters.ts';
import type { SparseVotes } from './votes.ts';

// Votes drawn again with a seed that the client gave. Whoever knows the seed beforehand can try seeds until the votes suit
// him, so these votes claim nothing, however many they are: a reproduction is no certificate, has none of a certificate's
// names for what it would claim, and is counted nowhere. Compared with the certificate that it repeats, it checks it.

/** Said in the result of every reproduction. */
export const REPRODUCTION_WARNING =
  'the seed is the client’s: these votes repeat those of an earlier result, prove nothing new, and count nowhere';

export const REPRODUCTION_FORMAT = 'smoothcert/reproduction/1';

/** The votes of a certificate, drawn again. */
export interface CertifyReproduction extends CertificateOrigin<'client'> {
  readonly format: typeof REPRODUCTION_FORMAT;
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
export interface PredictReproduction extends CertificateOrigin<'client'> {
  readonly format: typeof REPRODUCTION_FORMAT;
  readonly procedure: 'predict';
  readonly sigma: number;
  readonly n: number;
  readonly alpha: number;
  readonly topClass: number;
  readonly votes: SparseVotes;
  /** What a prediction with these votes says, if its seed was drawn after its request. */
  readonly implied: { readonly verdict: 'predicted' | 'abstained'; readonly pValue: number };
}
