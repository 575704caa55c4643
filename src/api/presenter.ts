import { type JobOf, type Kind, KINDS, type ParametersOf, type ResultOf } from '../contract/kinds.ts';
import type { JobResource, ResultResource } from '../contract/resources.ts';
import { hasEnded } from '../contract/status.ts';
import type { JobRecord, JobRequest, ResultRecord } from '../jobs/job-record.ts';
import type { InputResult } from '../jobs/job-service.ts';
import type { ObservedJob } from '../jobs/submit.ts';
import type { Manifest } from '../models/manifest.ts';

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const isoOrNull = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : iso(milliseconds);

type OfOneKind = 'object' | 'parameters' | 'summary';
type JobOfAnyKind = Omit<JobOf['certification'], OfOneKind>;
type Summary = Omit<JobOf['certification']['summary'], 'certified'> & { readonly affirmed: number };
type Noise = JobResource['parameters']['noise'];
type ResultOfAnyKind = Pick<
  ResultOf['certification'],
  keyof ResultOf['certification'] & keyof ResultOf['prediction']
>;

/** What jobs and results of one kind show as no others do. */
interface Shown<K extends Kind> {
  job(job: JobOfAnyKind, parameters: ParametersOf[K], noise: Noise, summary: Summary): JobOf[K];
  result(shown: Omit<ResultOfAnyKind, 'outcome' | 'reproduction'>, result: ResultRecord | null): ResultOf[K];
}

const SHOWN: { readonly [K in Kind]: Shown<K> } = {
  certification: {
    job: (job, parameters, noise, { affirmed, ...summary }) => ({
      ...job,
      object: 'certification',
      parameters: { ...parameters, noise },
      summary: { certified: affirmed, ...summary },
    }),
    result(shown, result) {
      const certificate = result?.kind === 'certification' ? result.certificate : null;
      const repeated = result?.kind === 'reproduction' ? result.reproduction : null;
      const reproduction = repeated?.procedure === 'certify' ? repeated : null;
      return {
        ...shown,
        outcome: reproduction === null ? (certificate?.outcome ?? null) : 'reproduced',
        certifiedRadius: certificate?.certifiedRadius ?? null,
        pALowerBound: certificate?.pALowerBound ?? null,
        certificate,
        reproduction,
      };
    },
  },
  prediction: {
    job: (job, parameters, noise, { affirmed, ...summary }) => ({
      ...job,
      object: 'prediction',
      parameters: { ...parameters, noise },
      summary: { predicted: affirmed, ...summary },
    }),
    result(shown, result) {
      const prediction = result?.kind === 'prediction' ? result : null;
      const repeated = result?.kind === 'reproduction' ? result.reproduction : null;
      const reproduction = repeated?.procedure === 'predict' ? repeated : null;
      return {
        ...shown,
        outcome: reproduction === null ? (prediction?.outcome ?? null) : 'reproduced',
        pValue: prediction?.pValue ?? null,
        provenance: prediction?.provenance ?? null,
        reproduction,
      };
    },
  },
};

/** A job as the API shows it. */
export function presentJob(record: ObservedJob, now: number): JobResource {
  const { id, request, counts } = record;
  const self = `${KINDS[request.kind].path}/${id}`;
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
  const { abstained, reproduced, affirmed } = counts;
  const failed = failedInputs(record);
  const correct = counts.labelled > 0 && common.reproduction === null ? counts.correct : null;
  return ofItsKind(common, request, { affirmed, abstained, reproduced, failed, correct });
}

function ofItsKind<K extends Kind>(job: JobOfAnyKind, request: JobRequest<K>, summary: Summary): JobOf[K] {
  const { scheme, version } = request.noise;
  return SHOWN[request.kind].job(job, request.parameters, { scheme, version }, summary);
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
  const error = result === null ? record.error : result.kind === 'failed' ? result.error : null;
  const status =
    counted !== null
      ? 'decided'
      : error !== null
        ? 'failed'
        : hasEnded(record.status)
          ? 'cancelled'
          : 'pending';
  const shown = {
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
  return SHOWN[record.request.kind].result(shown, result);
}
