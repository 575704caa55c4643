import type { EngineDescription } from '../inference/engine.ts';
import { inputElements, inputShape } from '../inference/manifest.ts';
import type { RegisteredModel } from '../inference/model-store.ts';
import { gaussianCutpoints, totalVariationBound } from '../random/cutpoints.ts';
import { NOISE_SCHEME, type Purpose } from '../random/noise-stream.ts';
import { certificate, type CertificateOrigin, sparseVotes } from '../smoothing/certificate.ts';
import { certifyProcedure } from '../smoothing/certify.ts';
import { predictProcedure } from '../smoothing/predict.ts';
import type { Step, Tally } from '../smoothing/procedure.ts';
import type { JobRequest } from './job-record.ts';
import type { ResultRecord } from './result-record.ts';
import type { ChunkVotes } from './sampling-store.ts';
import type { Chunk } from './plan.ts';
import type { Software } from '../version.ts';

/** The votes of every chunk of one input, and who drew them. */
export interface InputVotes {
  readonly tally: Tally;
  readonly engine: EngineDescription | null;
  readonly devices: readonly { readonly name: string; readonly batchSize: number }[];
}

/**
 * Adds up one input's votes over its chunks. Each chunk has one record and each sample one chunk, so nothing is counted
 * twice; the procedure checks the totals.
 *
 * @throws Error where chunks were drawn by different engines: their votes are not of one base classifier
 */
export function gatherVotes(
  input: number,
  chunks: readonly { readonly chunk: Chunk; readonly votes: ChunkVotes }[],
): InputVotes {
  const tally: Partial<Record<Purpose, number[]>> = {};
  const devices = new Map<string, { name: string; batchSize: number }>();
  let engine: EngineDescription | null = null;
  for (const { chunk, votes } of chunks) {
    engine ??= votes.engine;
    const [a, b] = [describeEngine(engine), describeEngine(votes.engine)];
    if (a !== b) {
      throw new Error(
        `the votes come from different engines (${a} and ${b}), which are not one base classifier`,
      );
    }
    devices.set(JSON.stringify(votes.device), votes.device);
    for (const [index, segment] of chunk.entries()) {
      if (segment.input !== input) continue;
      const counts = (tally[segment.purpose] ??= Array.from<number>({ length: votes.classes }).fill(0));
      const pairs = votes.segments[index]!;
      for (let at = 0; at < pairs.length; at += 2) counts[pairs[at]!]! += pairs[at + 1]!;
    }
  }
  return { tally, engine, devices: [...devices.values()] };
}

/** One sentence's worth of an engine; two engines with the same one are the same. */
function describeEngine({ name, version, provider, precision }: EngineDescription): string {
  return `${name} ${version} on ${provider} (${precision})`;
}

/** One input's way from votes to a result, for one job. */
export interface Decision {
  readonly plannedSamples: number;
  next(input: number, votes: InputVotes, tensorDigest: string): Step<ResultRecord>;
}

/** The procedure that a request asks for, applied to the votes of its inputs; pure. */
export function createDecision(request: JobRequest, model: RegisteredModel, software: Software): Decision {
  const { manifest, digest } = model;
  const { sigma } = request.parameters;
  const variation = totalVariationBound(gaussianCutpoints(sigma), inputElements(manifest));

  const originOf = (input: number, votes: InputVotes, tensorDigest: string): CertificateOrigin => ({
    model: {
      name: manifest.name,
      version: manifest.version,
      digest,
      files: manifest.files.map(({ path, sha256 }) => ({ path, sha256 })),
    },
    input: { digest: tensorDigest, shape: inputShape(manifest), layout: manifest.input.layout, index: input },
    noise: {
      scheme: NOISE_SCHEME.name,
      version: NOISE_SCHEME.version,
      totalVariation: variation,
      seed: request.seed,
      seedSource: request.seedSource,
    },
    engine: votes.engine!,
    devices: votes.devices,
    software,
  });
  const { trainedSigma } = manifest.smoothing;
  const warnings =
    trainedSigma === sigma
      ? []
      : [
          trainedSigma === null
            ? `${manifest.name} was trained without noise; sigma ${sigma} may leave it little accuracy`
            : `${manifest.name} was trained with sigma ${trainedSigma}, not ${sigma}`,
        ];

  if (request.kind === 'certification') {
    const procedure = certifyProcedure(request.parameters, variation);
    return {
      plannedSamples: procedure.plannedSamples,
      next(input, votes, tensorDigest) {
        const step = procedure.next(votes.tally);
        if (step.kind === 'draw') return step;
        const { outcome, selectedClass, topCount, estimationVotes } = step.result;
        return {
          kind: 'done',
          result: {
            kind: 'certification',
            outcome,
            class: outcome === 'certified' ? selectedClass : null,
            topCount,
            votes: sparseVotes(estimationVotes),
            warnings,
            certificate: certificate(request.parameters, step.result, originOf(input, votes, tensorDigest)),
          },
        };
      },
    };
  }
  const procedure = predictProcedure(request.parameters, variation);
  return {
    plannedSamples: procedure.plannedSamples,
    next(input, votes, tensorDigest) {
      const step = procedure.next(votes.tally);
      if (step.kind === 'draw') return step;
      const { outcome, topClass, topCount, pValue, votes: counted } = step.result;
      return {
        kind: 'done',
        result: {
          kind: 'prediction',
          outcome,
          class: outcome === 'predicted' ? topClass : null,
          topCount,
          votes: sparseVotes(counted),
          warnings,
          pValue,
          provenance: originOf(input, votes, tensorDigest),
        },
      };
    },
  };
}
