import { describeLaw, type NoiseLaw, sameLaw } from '../random/noise-law.ts';
import type { Purpose } from '../random/noise-stream.ts';
import type { CertificateOrigin } from './certificate.ts';
import { describeEngine, sameEngine } from './describe-engine.ts';
import type { Tally } from './procedure.ts';
import { addSparse, type SparseVotes } from './votes.ts';

/** Consecutive samples of one purpose of one input. */
interface Segment {
  readonly input: number;
  readonly purpose: Purpose;
  readonly count: number;
}

/** The votes of a chunk, which are segments drawn together, and what drew them. */
export interface ChunkVotes {
  /** By segment of the chunk. */
  readonly segments: readonly SparseVotes[];
  readonly classes: number;
  readonly engine: CertificateOrigin['engine'];
  readonly noise: NoiseLaw;
  readonly device: { readonly name: string; readonly batchSize: number };
}

/** The votes of one input, and who drew how many of them. */
export interface Evidence {
  readonly tally: Tally;
  /** Null without votes. */
  readonly engine: CertificateOrigin['engine'] | null;
  readonly devices: CertificateOrigin['devices'];
}

/**
 * Adds up one input's votes over its chunks. Each chunk has one record and each sample one chunk and one vote, so nothing is
 * counted twice; the procedure checks the totals.
 *
 * Devices of one pool may round the last bit of a score differently, so that a vote depends on the device that drew it.
 * The certificate then is about the network that is computed on each device in the share of samples that the device
 * drew: a randomized base classifier, to which Cohen et al. (2019), Theorem 1 applies as it stands. Which device draws
 * which sample is settled before its votes are known. The samples by device stand in the certificate.
 *
 * Votes are then independent, with probabilities that differ by device; let p be their mean and S their sum. For alpha
 * <= 1/4 Clopper-Pearson's lower bound L holds for p wherever it certifies. A certificate needs two votes: a single one
 * has L(1) <= alpha in the one-sided form, and in the two-sided one L(1) < U(0), where U is the upper bound. And L(S) >
 * p takes S >= k, the least count with P[Bin(n, p) >= k] < alpha. For p > 1/n, P[Bin(n, p) >= n p] is at least 1/4
 * (Greenberg & Mohri 2014, Theorem 1; Doerr 2018), so that k >= n p + 1; for p <= 1/n the two votes are n p + 1 or
 * more. From n p + 1 upwards S has no heavier tail than the binomial of the mean (Hoeffding 1956, Theorem 4, with b = 0
 * and c = k - 1 >= n p); below it may have: at alpha = 1/2 three of four votes with p = (.8133, .8133, .8133, 0) are
 * wrong with .538. The upper bound of another class is the lower bound of all votes against it, of which a certificate
 * has two as well. For predictions see `predictProcedure`.
 *
 * @param noise the law that the job asks for
 * @throws Error where chunks were drawn by different engines: their votes are not of one base classifier; where one was
 *   drawn with other noise than asked for: its votes say nothing of this smoothed classifier; where votes are not as many as
 *   the samples
 */
export function gatherVotes(
  input: number,
  noise: NoiseLaw,
  chunks: readonly { readonly chunk: readonly Segment[]; readonly votes: ChunkVotes }[],
): Evidence {
  const tally: Partial<Record<Purpose, number[]>> = {};
  const devices = new Map<string, { name: string; batchSize: number; samples: number }>();
  let engine: Evidence['engine'] = null;
  for (const { chunk, votes } of chunks) {
    engine ??= votes.engine;
    if (!sameEngine(engine, votes.engine)) {
      const both = `${describeEngine(engine)} and ${describeEngine(votes.engine)}`;
      throw new Error(`the votes come from different engines (${both}), which are not one base classifier`);
    }
    if (!sameLaw(votes.noise, noise)) {
      throw new Error(
        `the votes come from ${describeLaw(votes.noise)}, where the job asks for ${describeLaw(noise)}`,
      );
    }
    const key = JSON.stringify(votes.device);
    const device = devices.get(key) ?? { ...votes.device, samples: 0 };
    devices.set(key, device);
    for (const [index, segment] of chunk.entries()) {
      if (segment.input !== input) continue;
      device.samples += segment.count;
      const counts = (tally[segment.purpose] ??= Array.from<number>({ length: votes.classes }).fill(0));
      const added = addSparse(counts, votes.segments[index]!);
      if (added !== segment.count) {
        throw new Error(`${added} votes for ${segment.count} ${segment.purpose} samples of input ${input}`);
      }
    }
  }
  return { tally, engine, devices: [...devices.values()].filter(({ samples }) => samples > 0) };
}
