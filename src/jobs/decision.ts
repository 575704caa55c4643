import { type Kind, KINDS } from '../contract/kinds.ts';
import { DomainError } from '../errors.ts';
import { inputElements, inputShape } from '../models/manifest.ts';
import type { RegisteredModel } from '../models/store.ts';
import { lawVariation } from '../random/noise-law.ts';
import type { Evidence } from '../smoothing/evidence.ts';
import type { Step } from '../smoothing/procedure.ts';
import type { InputOrigin } from '../smoothing/procedure-entry.ts';
import type { Software } from '../version.ts';
import type { JobRequest, ResultRecord } from './job-record.ts';

/** One input's way from votes to a result, for one job. */
export interface Decision {
  next(input: number, evidence: Evidence, tensorDigest: string): Step<ResultRecord>;
}

/**
 * The procedure that a request asks for, applied to the votes of its inputs; pure.
 *
 * @throws DomainError `internal_error` for a request that asks to draw by another sigma than to certify
 */
export function createDecision<K extends Kind>(
  request: JobRequest<K>,
  model: RegisteredModel,
  software: Software,
): Decision {
  const { noise, seed, seedSource, firstIndex } = request;
  const { manifest, digest } = model;
  const { sigma } = request.parameters;
  if (noise.sigma !== sigma) {
    throw new DomainError('internal_error', `noise of sigma ${noise.sigma} says nothing of sigma ${sigma}`);
  }
  const totalVariation = lawVariation(noise, inputElements(manifest));
  const { scheme, version } = noise;

  const originOf = (input: number, tensorDigest: string): InputOrigin => ({
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
      index: firstIndex + input,
    },
    noise: { scheme, version, totalVariation, seed, seedSource },
    software,
  });
  const { procedure } = KINDS[request.kind];
  const warnings = trainingWarnings(manifest, sigma);
  return {
    next: (input, evidence, tensorDigest) =>
      procedure.next(request.parameters, evidence, originOf(input, tensorDigest), warnings),
  };
}

function trainingWarnings({ name, smoothing }: RegisteredModel['manifest'], sigma: number): string[] {
  const { trainedSigma } = smoothing;
  if (trainedSigma === sigma) return [];
  return trainedSigma === null
    ? [`${name} was trained without noise; sigma ${sigma} may leave it little accuracy`]
    : [`${name} was trained with sigma ${trainedSigma}, not ${sigma}`];
}
