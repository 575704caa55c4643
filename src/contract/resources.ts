import type { Static } from 'typebox';
import type { CertificationSchema, PredictionSchema } from './job.ts';
import type { ModelSchema } from './model.ts';
import type { CertificationResultSchema, PredictionResultSchema } from './result.ts';

export type Model = Static<typeof ModelSchema>;
export type Certification = Static<typeof CertificationSchema>;
export type Prediction = Static<typeof PredictionSchema>;
export type CertificationResult = Static<typeof CertificationResultSchema>;
export type PredictionResult = Static<typeof PredictionResultSchema>;

/** The resource and the result of each kind of job. */
export interface Kinds {
  readonly certification: { readonly job: Certification; readonly result: CertificationResult };
  readonly prediction: { readonly job: Prediction; readonly result: PredictionResult };
}
export type Kind = keyof Kinds;
