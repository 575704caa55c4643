import type { Static, TSchema } from 'typebox';
import type { Evidence } from '../smoothing/evidence.ts';
import type { AskedParameters } from '../smoothing/parameters.ts';
import type { Step } from '../smoothing/procedure.ts';
import type { InputOrigin } from '../smoothing/procedure-entry.ts';
import { certify } from '../smoothing/procedures/certify.ts';
import { predict } from '../smoothing/procedures/predict.ts';
import type { Immutable } from './building-blocks.ts';
import { CertificationSchema, PredictionSchema } from './job.ts';
import { CertifyParametersSchema, PredictParametersSchema } from './parameters.ts';
import { CertificationResultSchema, PredictionResultSchema } from './result.ts';

/** Everything that differs from kind to kind of jobs; a new kind is a new entry. */
const ENTRIES = {
  certification: {
    title: 'Certification',
    about: 'Certified radii of images against every L2 perturbation.',
    path: '/v1/certifications',
    idPrefix: 'cert',
    procedure: certify,
    parameters: CertifyParametersSchema,
    job: CertificationSchema,
    result: CertificationResultSchema,
    example: { model: 'mnist-cnn', parameters: { sigma: 0.5, n: 100_000, alpha: 0.001 } },
  },
  prediction: {
    title: 'Prediction',
    about: 'Predictions of the smoothed classifier, or abstentions.',
    path: '/v1/predictions',
    idPrefix: 'pred',
    procedure: predict,
    parameters: PredictParametersSchema,
    job: PredictionSchema,
    result: PredictionResultSchema,
    example: { model: 'mnist-cnn', parameters: { sigma: 0.5, n: 1_000, alpha: 0.001 } },
  },
} as const;

type Entries = typeof ENTRIES;
export type Kind = keyof Entries;

/** The parameters in force, by kind. */
export type ParametersOf = { [K in Kind]: ReturnType<Entries[K]['procedure']['parameters']> };

type ResultIn<Done> = Done extends { readonly kind: 'done'; readonly result: infer Result } ? Result : never;
/** What is concluded of an input, by kind. */
export type VerdictOf = { [K in Kind]: ResultIn<ReturnType<Entries[K]['procedure']['next']>> };

/** The schema of the parameters of a request, by kind. */
export type ParametersSchemaOf = { [K in Kind]: Entries[K]['parameters'] };
/** A job as clients see it, by kind. */
export type JobOf = { [K in Kind]: Immutable<Static<Entries[K]['job']>> };
/** The result of an input as clients see it, by kind. */
export type ResultOf = { [K in Kind]: Immutable<Static<Entries[K]['result']>> };

interface KindEntry<K extends Kind> {
  /** Names schemas and operations. */
  readonly title: string;
  readonly about: string;
  /** Of the collection. */
  readonly path: string;
  /** What ids of its jobs begin with. */
  readonly idPrefix: string;
  readonly procedure: {
    parameters(asked: AskedParameters, pointer?: string): ParametersOf[K];
    plannedSamples(parameters: ParametersOf[K]): number;
    next(
      parameters: ParametersOf[K],
      evidence: Evidence,
      origin: InputOrigin,
      warnings: readonly string[],
    ): Step<VerdictOf[K]>;
  };
  readonly parameters: TSchema;
  readonly job: TSchema;
  readonly result: TSchema;
  /** A request but for its inputs. */
  readonly example: object;
}

/** The entries in a form that keeps what belongs to a kind together where the kind is not known: `KINDS[job.kind]` fits `job`. */
export const KINDS: { readonly [K in Kind]: KindEntry<K> } = ENTRIES;
export const KIND_NAMES = Object.keys(KINDS) as Kind[];

/** What a job of some kind is asked with. */
export type Asked<K extends Kind = Kind> = {
  [P in K]: { readonly kind: P; readonly parameters: ParametersOf[P] };
}[K];

/** Most samples that each input of a job takes. */
export function samplesPerInput<K extends Kind>({ kind, parameters }: Asked<K>): number {
  return KINDS[kind].procedure.plannedSamples(parameters);
}
