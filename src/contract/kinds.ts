import type { AskedParameters } from '../smoothing/parameters.ts';
import type { Evidence } from '../smoothing/evidence.ts';
import type { Step } from '../smoothing/procedure.ts';
import type { InputOrigin } from '../smoothing/procedure-entry.ts';
import { certify } from '../smoothing/procedures/certify.ts';
import { predict } from '../smoothing/procedures/predict.ts';

/** What is known of each kind of job; a new kind is a new entry. */
const ENTRIES = {
  certification: { procedure: certify },
  prediction: { procedure: predict },
} as const;

type Entries = typeof ENTRIES;
export type Kind = keyof Entries;

/** The parameters in force, by kind. */
export type ParametersOf = { [K in Kind]: ReturnType<Entries[K]['procedure']['parameters']> };

type ResultOf<Done> = Done extends { readonly kind: 'done'; readonly result: infer Result } ? Result : never;
/** What is concluded of an input, by kind. */
export type VerdictOf = { [K in Kind]: ResultOf<ReturnType<Entries[K]['procedure']['next']>> };

interface KindEntry<K extends Kind> {
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
}

/** The entries in a form that keeps what belongs to a kind together where the kind is not known: `KINDS[job.kind]` fits `job`. */
export const KINDS: { readonly [K in Kind]: KindEntry<K> } = ENTRIES;

/** What a job of some kind is asked with. */
export type Asked<K extends Kind = Kind> = {
  [P in K]: { readonly kind: P; readonly parameters: ParametersOf[P] };
}[K];

/** Most samples that each input of a job takes. */
export function samplesPerInput<K extends Kind>({ kind, parameters }: Asked<K>): number {
  return KINDS[kind].procedure.plannedSamples(parameters);
}
