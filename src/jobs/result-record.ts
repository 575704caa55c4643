import type { Failure } from '../errors.ts';
import type { Certificate } from '../smoothing/certificate.ts';
import type { CertifyReproduction, PredictReproduction } from '../smoothing/reproduction.ts';
import type { SparseVotes } from '../smoothing/votes.ts';

/** What is known of one input: stored once, when it is decided or has failed. */
export type ResultRecord =
  | ({ readonly kind: 'certification'; readonly certificate: Certificate } & Decided)
  | ({ readonly kind: 'prediction'; readonly pValue: number; readonly provenance: Provenance } & Decided)
  | ({
      readonly kind: 'reproduction';
      readonly reproduction: CertifyReproduction | PredictReproduction;
    } & Counted)
  | { readonly kind: 'failed'; readonly error: Failure };

interface Counted {
  readonly topCount: number;
  readonly votes: SparseVotes;
  readonly warnings: readonly string[];
}

interface Decided extends Counted {
  readonly outcome: 'certified' | 'predicted' | 'abstained';
  /** Null in an abstention. */
  readonly class: number | null;
}

/** How to redraw a prediction: the same facts as in a certificate. */
export type Provenance = Pick<Certificate, 'model' | 'input' | 'noise' | 'engine' | 'devices' | 'software'>;
