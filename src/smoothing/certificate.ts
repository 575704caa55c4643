import type { BoundForm } from './parameters.ts';
import type { SparseVotes } from './votes.ts';

/** Who chose the seed; "client" in a reproduction only (reproduction.ts): it was known before the request was fixed. */
export type SeedSource = 'server' | 'client';

/** Where votes come from: all that is needed to check or redraw them. */
export interface CertificateOrigin<Source extends SeedSource = SeedSource> {
  readonly model: {
    readonly name: string;
    readonly version: string;
    /** SHA-256 of the manifest, which names the SHA-256 of every file. */
    readonly digest: string;
    readonly files: readonly { readonly path: string; readonly sha256: string }[];
    /** What of the model is certified, where the manifest names it. */
    readonly input?: string;
    readonly output?: string;
    readonly signature?: string;
  };
  readonly input: {
    /** SHA-256 of the uint8 tensor's bytes in the order of `layout`. */
    readonly digest: string;
    readonly shape: readonly number[];
    readonly layout: string;
    /** Index of the input in its job, or in the job that is repeated; part of the noise stream's derivation. */
    readonly index: number;
  };
  readonly noise: {
    readonly scheme: string;
    readonly version: number;
    /** Upper bound of the total variation between the drawn and the exact noise over the whole input. */
    readonly totalVariation: number;
    readonly seed: string;
    readonly seedSource: Source;
  };
  readonly engine: {
    readonly name: string;
    readonly version: string;
    readonly provider: string;
    /** Arithmetic of the network's products and convolutions. */
    readonly precision: string;
    /** How it is known that the rows of a batch do not influence one another; left out by releases that did not ask. */
    readonly rows?: 'proved' | 'probed' | 'alone';
    /** What is compared, where that is not the output of the file: "logits before Softmax". */
    readonly output?: string;
    /** The rows of every call, where a row's scores depend on it; left out where every batch gives the same votes. */
    readonly batch?: number;
  };
  /** The devices that drew the votes, each with its batch size and how many of the samples it drew. */
  readonly devices: readonly {
    readonly name: string;
    readonly batchSize: number;
    readonly samples: number;
  }[];
  readonly software: { readonly name: string; readonly version: string };
}

/** A certificate of one input: what is claimed, from which votes, and how to draw them again. */
export interface Certificate extends CertificateOrigin<'server'> {
  readonly format: 'smoothcert/certificate/1';
  readonly procedure: 'certify';
  readonly sigma: number;
  readonly n0: number;
  readonly n: number;
  readonly alpha: number;
  readonly bound: BoundForm;
  /** Whether x + noise is clipped to [0,1] before the network: never in this version. */
  readonly clip: false;
  readonly outcome: 'certified' | 'abstained';
  readonly selectedClass: number;
  readonly selectionVotes: SparseVotes;
  readonly estimationVotes: SparseVotes;
  readonly pALowerBound: number;
  readonly pBUpperBound: number | null;
  readonly certifiedRadius: number | null;
}
