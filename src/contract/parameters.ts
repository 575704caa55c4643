import { Type } from 'typebox';
import { PARAMETER_LIMITS } from '../smoothing/parameters.ts';
import { CERTIFY_DEFAULTS } from '../smoothing/procedures/certify.ts';
import { PREDICT_DEFAULTS } from '../smoothing/procedures/predict.ts';
import { Bound, FAILURE_PROBABILITY } from './building-blocks.ts';

const { sigma, n0, n, alpha } = PARAMETER_LIMITS;

const Sigma = Type.Number({
  minimum: sigma.minimum,
  maximum: sigma.maximum,
  description: 'noise s.d. in pixel units of the [0,1] image',
});
// Defaults are told in words: generators take a property with a default for one that is always there.
const Alpha = (byDefault: number) =>
  Type.Optional(
    Type.Number({
      minimum: alpha.minimum,
      maximum: alpha.maximum,
      description: `${FAILURE_PROBABILITY}; ${byDefault} without it`,
    }),
  );
const Samples = (limits: typeof n | typeof n0, byDefault: number, description: string) =>
  Type.Optional(
    Type.Integer({
      minimum: limits.minimum,
      maximum: limits.maximum,
      description: `${description}; ${byDefault} without it`,
    }),
  );

export const CertifyParametersSchema = Type.Object(
  {
    sigma: Sigma,
    n0: Samples(n0, CERTIFY_DEFAULTS.n0, 'samples that select the class'),
    n: Samples(n, CERTIFY_DEFAULTS.n, 'samples that bound its probability; disjoint from the n0'),
    alpha: Alpha(CERTIFY_DEFAULTS.alpha),
    bound: Type.Optional(Bound),
  },
  { additionalProperties: false, title: 'CertificationParameters' },
);

export const PredictParametersSchema = Type.Object(
  {
    sigma: Sigma,
    n: Samples(n, PREDICT_DEFAULTS.n, 'samples that are counted'),
    alpha: Alpha(PREDICT_DEFAULTS.alpha),
  },
  { additionalProperties: false, title: 'PredictionParameters' },
);
