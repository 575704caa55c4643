import { hasEnded } from '../contract/status.ts';
import type { Manifest } from '../models/manifest.ts';
import type { JobRecord } from '../jobs/job-record.ts';
import type { InputResult, ObservedJob } from '../jobs/job-service.ts';
import type { JobResource } from '../contract/job.ts';
import type { ResultResource } from '../contract/result.ts';

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const isoOrNull = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : iso(milliseconds);

/** Path of a kind's collection. */
export function collectionPath(kind: JobRecord['request']['kind']): string {
  return `/v1/${kind}s`;
}

/** A job as the API shows it. */
export function presentJob(record: ObservedJob, now: number): JobResource {
  const { id, request, counts } = record;
  const self = `${collectionPath(request.kind)}/${id}`;
  const common = {
    id,
    status: record.status,
    createdAt: iso(record.createdAt),
    startedAt: isoOrNull(record.startedAt),
    finishedAt: isoOrNull(record.finishedAt),
    expiresAt: isoOrNull(record.expiresAt),
    model: request.model,
    reproduction: request.seedSource === 'client' ? { firstIndex: request.firstIndex } : null,
    engine: record.engine,
    waitingFor: record.waitingFor,
    progress: presentProgress(record, now),
    error: record.error,
    links: { self, results: `${self}/results` },
  };
  const noise = { scheme: request.noise.scheme, version: request.noise.version };
  const { abstained, reproduced } = counts;
  const failed = failedInputs(record);
  const correct = counts.labelled > 0 && common.reproduction === null ? counts.correct : null;
  if (request.kind === 'certification') {
    return {
      ...common,
      object: 'certification',
      parameters: { ...request.parameters, noise },
      summary: { certified: counts.affirmed, abstained, reproduced, failed, correct },
    };
  }
  return {
    ...common,
    object: 'prediction',
    parameters: { ...request.parameters, noise },
    summary: { predicted: counts.affirmed, abstained, reproduced, failed, correct },
  };
}

/** A job that fails as a whole fails every input that has no result. */
function failedInputs({ error, counts, inputsTotal }: JobRecord): number {
  return error === null ? counts.failed : inputsTotal - counts.decided;
}

function presentProgress(record: ObservedJob, now: number): JobResource['progress'] {
  const { counts, samplesDrawn, samplesPlanned, startedAt } = record;
  const seconds = startedAt === null ? 0 : ((record.finishedAt ?? now) - startedAt) / 1000;
  const moves = record.waitingFor === null && seconds > 0 && samplesDrawn > 0;
  const samplesPerSecond = moves ? Math.round(samplesDrawn / seconds) : null;
  const left = hasEnded(record.status)
    ? 0
    : samplesPerSecond
      ? Math.ceil((samplesPlanned - samplesDrawn) / samplesPerSecond)
      : null;
  return {
    inputsDecided: counts.decided,
    inputsFailed: failedInputs(record),
    inputsTotal: record.inputsTotal,
    samplesDrawn,
    samplesPlanned,
    samplesPerSecond,
    secondsLeft: left,
  };
}

/**
 * One input's result as the API shows it; every input has one from the start, `pending` until it is decided.
 *
 * @param manifest of the model, for the names of its classes; null where the server no longer has the model
 */
export function presentResult(
  record: JobRecord,
  { index, entry, result }: InputResult,
  manifest: Manifest | null,
): ResultResource {
  const { id: inputId, label } = entry;
  const counted = result === null || result.kind === 'failed' ? null : result;
  // A reproduction decides nothing: it has votes, but no class, and no label is met by it.
  const decided = counted === null || counted.kind === 'reproduction' ? null : counted;
  const reproduction = counted?.kind === 'reproduction' ? counted.reproduction : null;
  const error = result === null ? record.error : result.kind === 'failed' ? result.error : null;
  const status =
    counted !== null
      ? 'decided'
      : error !== null
        ? 'failed'
        : hasEnded(record.status)
          ? 'cancelled'
          : 'pending';
  const common = {
    inputId,
    index,
    status,
    prediction:
      decided?.class == null
        ? null
        : { class: decided.class, label: manifest?.output.labels[decided.class] ?? String(decided.class) },
    topCount: counted?.topCount ?? null,
    votes: counted?.votes ?? null,
    reference: label === null ? null : { label, correct: decided === null ? null : decided.class === label },
    warnings: [...(counted?.warnings ?? [])],
    error,
  } as const;
  if (record.request.kind === 'certification') {
    const certificate = result?.kind === 'certification' ? result.certificate : null;
    return {
      ...common,
      outcome: reproduction === null ? (certificate?.outcome ?? null) : 'reproduced',
      certifiedRadius: certificate?.certifiedRadius ?? null,
      pALowerBound: certificate?.pALowerBound ?? null,
      certificate,
      reproduction,
    } as ResultResource;
  }
  const prediction = result?.kind === 'prediction' ? result : null;
  return {
    ...common,
    outcome: reproduction === null ? (prediction?.outcome ?? null) : 'reproduced',
    pValue: prediction?.pValue ?? null,
    provenance: prediction?.provenance ?? null,
    reproduction,
  } as ResultResource;
}
