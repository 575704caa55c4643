import type { EngineDescription } from '../engines/engine.ts';
import { inputElements, inputShape } from '../models/manifest.ts';
import type { RegisteredModel } from '../models/store.ts';
import { describeLaw, lawVariation, type NoiseLaw, sameLaw } from '../random/noise-law.ts';
import type { Purpose } from '../random/noise-stream.ts';
import { certificate, type CertificateOrigin } from '../smoothing/certificate.ts';
import { addSparse, sparseVotes } from '../smoothing/votes.ts';
import { certifyProcedure } from '../smoothing/certify.ts';
import { predictProcedure } from '../smoothing/predict.ts';
import type { Step, Tally } from '../smoothing/procedure.ts';
import { certifyReproduction, predictReproduction, REPRODUCTION_WARNING } from '../smoothing/reproduction.ts';
import type { JobRequest } from './job-record.ts';
import type { ResultRecord } from './result-record.ts';
import type { ChunkVotes } from './sampling-store.ts';
import type { Chunk } from './plan.ts';
import { describeEngine } from './pool.ts';
import type { Software } from '../version.ts';

/** The votes of every chunk of one input, and who drew how many of them. */
export interface InputVotes {
  readonly tally: Tally;
  readonly engine: EngineDescription | null;
  readonly devices: CertificateOrigin['devices'];
}

/**
 * Adds up one input's votes over its chunks. Each chunk has one record and each sample one chunk, so nothing is counted
 * twice; the procedure checks the totals.
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
 * @throws Error where chunks were drawn by different engines: their votes are not of one base classifier; and where one
 *   was drawn with other noise than asked for: its votes say nothing of this smoothed classifier
 */
export function gatherVotes(
  input: number,
  noise: NoiseLaw,
  chunks: readonly { readonly chunk: Chunk; readonly votes: ChunkVotes }[],
): InputVotes {
  const tally: Partial<Record<Purpose, number[]>> = {};
  const devices = new Map<string, { name: string; batchSize: number; samples: number }>();
  let engine: EngineDescription | null = null;
  for (const { chunk, votes } of chunks) {
    engine ??= votes.engine;
    const [a, b] = [describeEngine(engine), describeEngine(votes.engine)];
    if (a !== b) {
      throw new Error(
        `the votes come from different engines (${a} and ${b}), which are not one base classifier`,
      );
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
      addSparse(counts, votes.segments[index]!);
    }
  }
  return { tally, engine, devices: [...devices.values()].filter(({ samples }) => samples > 0) };
}

/** One input's way from votes to a result, for one job. */
export interface Decision {
  readonly plannedSamples: number;
  next(input: number, votes: InputVotes, tensorDigest: string): Step<ResultRecord>;
}

/** The procedure that a request asks for, applied to the votes of its inputs; pure. */
export function createDecision(request: JobRequest, model: RegisteredModel, software: Software): Decision {
  const { manifest, digest } = model;
  const { noise } = request;
  const { sigma } = noise;
  const variation = lawVariation(noise, inputElements(manifest));

  const originOf = (input: number, votes: InputVotes, tensorDigest: string): CertificateOrigin => ({
    model: {
      name: manifest.name,
      version: manifest.version,
      digest,
      files: manifest.files.map(({ path, sha256 }) => ({ path, sha256 })),
      ...(manifest.input.name === undefined ? {} : { input: manifest.input.name }),
      ...(manifest.output.name === undefined ? {} : { output: manifest.output.name }),
      ...(manifest.signature === undefined ? {} : { signature: manifest.signature }),
    },
    input: {
      digest: tensorDigest,
      shape: inputShape(manifest),
      layout: manifest.input.layout,
      index: request.firstIndex + input,
    },
    noise: {
      scheme: noise.scheme,
      version: noise.version,
      totalVariation: variation,
      seed: request.seed,
      seedSource: request.seedSource,
    },
    engine: votes.engine!,
    devices: votes.devices,
    software,
  });
  const { trainedSigma } = manifest.smoothing;
  const reproduces = request.seedSource === 'client';
  const warnings = [
    ...(reproduces ? [REPRODUCTION_WARNING] : []),
    ...(trainedSigma === sigma
      ? []
      : [
          trainedSigma === null
            ? `${manifest.name} was trained without noise; sigma ${sigma} may leave it little accuracy`
            : `${manifest.name} was trained with sigma ${trainedSigma}, not ${sigma}`,
        ]),
  ];

  if (request.kind === 'certification') {
    const procedure = certifyProcedure(request.parameters, variation);
    return {
      plannedSamples: procedure.plannedSamples,
      next(input, votes, tensorDigest) {
        const step = procedure.next(votes.tally);
        if (step.kind === 'draw') return step;
        const { outcome, selectedClass, topCount, estimationVotes } = step.result;
        const counted = { topCount, votes: sparseVotes(estimationVotes), warnings };
        const document = [request.parameters, step.result, originOf(input, votes, tensorDigest)] as const;
        return {
          kind: 'done',
          result: reproduces
            ? { kind: 'reproduction', ...counted, reproduction: certifyReproduction(...document) }
            : {
                kind: 'certification',
                outcome,
                class: outcome === 'certified' ? selectedClass : null,
                ...counted,
                certificate: certificate(...document),
              },
        };
      },
    };
  }
  const procedure = predictProcedure(request.parameters, variation, 'runner-up');
  const ofMixedDevices = predictProcedure(request.parameters, variation, 'all-others');
  return {
    plannedSamples: procedure.plannedSamples,
    next(input, votes, tensorDigest) {
      const step = (votes.devices.length > 1 ? ofMixedDevices : procedure).next(votes.tally);
      if (step.kind === 'draw') return step;
      const { outcome, topClass, topCount, pValue, votes: drawn } = step.result;
      const counted = { topCount, votes: sparseVotes(drawn), warnings };
      const provenance = originOf(input, votes, tensorDigest);
      return {
        kind: 'done',
        result: reproduces
          ? {
              kind: 'reproduction',
              ...counted,
              reproduction: predictReproduction(request.parameters, step.result, provenance),
            }
          : {
              kind: 'prediction',
              outcome,
              class: outcome === 'predicted' ? topClass : null,
              ...counted,
              pValue,
              provenance,
            },
      };
    },
  };
}
