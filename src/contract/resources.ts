import type { Static } from 'typebox';
import type { JobOf, Kind, ResultOf } from './kinds.ts';
import type { ModelSchema } from './model.ts';

// What clients see, as types.

export type Model = Static<typeof ModelSchema>;
export type Certification = JobOf['certification'];
export type CertificationResult = ResultOf['certification'];
export type PredictionResult = ResultOf['prediction'];
/** A job of any kind. */
export type JobResource = JobOf[Kind];
/** The result of an input of a job of any kind. */
export type ResultResource = ResultOf[Kind];
