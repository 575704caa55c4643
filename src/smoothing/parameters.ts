import { DomainError, type Fault } from '../errors.ts';
import { MAX_SIGMA } from '../random/limits.ts';

/** Which form of Theorem 1 (Cohen, Rosenfeld, Kolter 2019) gives the radius. */
export type BoundForm = 'pA' | 'pA-pB';

/** What CERTIFY is asked with. `sigma` in pixel units of the [0,1] image. */
export interface CertifyParameters {
  readonly sigma: number;
  readonly n0: number;
  readonly n: number;
  readonly alpha: number;
  readonly bound: BoundForm;
}

/** What PREDICT is asked with. */
export interface PredictParameters {
  readonly sigma: number;
  readonly n: number;
  readonly alpha: number;
}

/**
 * Limits of every numeric parameter. `sigma` ends where the noise scheme's tables do (|K| <= 8191 on the 1/255 grid);
 * below 0.01 the noise hardly leaves its grid point. `n` ends where the statistics are proven. So does `alpha`: above
 * 1/4 the bounds do not hold for votes from devices that round differently (`gatherVotes` in jobs/decision.ts).
 */
export const PARAMETER_LIMITS = {
  sigma: { minimum: 0.01, maximum: MAX_SIGMA, integer: false },
  n0: { minimum: 1, maximum: 1_000_000, integer: true },
  n: { minimum: 1, maximum: 10_000_000, integer: true },
  alpha: { minimum: 1e-12, maximum: 0.25, integer: false },
} as const;

/** Cohen et al. 2019, section 4: n0 = 100, n = 100,000, alpha = 0.001. */
export const CERTIFY_DEFAULTS = { n0: 100, n: 100_000, alpha: 0.001, bound: 'pA' } as const;
/** Cohen et al. 2019, appendix: predictions with n = 1,000 noisy samples at alpha = 0.001. */
export const PREDICT_DEFAULTS = { n: 1_000, alpha: 0.001 } as const;

/** Samples of one request in all: several hours of a GPU. Its plan stays small enough for Redis. */
export const MOST_JOB_SAMPLES = 1_000_000_000;

/** Samples that each input of a request takes. */
export function samplesPerInput(parameters: CertifyParameters | PredictParameters): number {
  return parameters.n + ('n0' in parameters ? parameters.n0 : 0);
}

type NumericName = keyof typeof PARAMETER_LIMITS;

function numericFaults(values: Partial<Record<NumericName, number>>, pointer: string): Fault[] {
  const faults: Fault[] = [];
  for (const [name, value] of Object.entries(values) as [NumericName, number][]) {
    const { minimum, maximum, integer } = PARAMETER_LIMITS[name];
    const valid = value >= minimum && value <= maximum && (!integer || Number.isInteger(value));
    if (!valid) {
      const kind = integer ? 'an integer' : 'a number';
      faults.push({
        pointer: `${pointer}/${name}`,
        detail: `${name} must be ${kind} from ${minimum} to ${maximum}`,
      });
    }
  }
  return faults;
}

/** Least number of estimation samples with which unanimous votes give a lower bound above one half. */
export function leastCertifyingN(alpha: number, bound: BoundForm): number {
  // p_A is bounded at alpha/2 in the two-sided form; alpha^(1/n) > 1/2 is alpha > 2^-n, exact in binary.
  const share = bound === 'pA-pB' ? alpha / 2 : alpha;
  let n = 1;
  while (2 ** -n >= share) n += 1;
  return n;
}

/**
 * Fills in the defaults and checks a certification's parameters, reporting all faults at once.
 *
 * @param pointer JSON pointer of the object, put in front of each fault's pointer
 * @throws DomainError `validation_failed` with every fault, or `cannot_certify` where all values are allowed but even
 *   unanimous votes could not lift the lower bound above one half
 */
export function certifyParameters(
  asked: { sigma: number } & Partial<CertifyParameters>,
  pointer = '/parameters',
): CertifyParameters {
  const parameters = { ...CERTIFY_DEFAULTS, ...asked };
  const { sigma, n0, n, alpha, bound } = parameters;
  const faults = numericFaults({ sigma, n0, n, alpha }, pointer);
  if (bound !== 'pA' && bound !== 'pA-pB') {
    faults.push({ pointer: `${pointer}/bound`, detail: 'bound must be "pA" or "pA-pB"' });
  }
  if (faults.length > 0) throw new DomainError('validation_failed', undefined, faults);
  const least = leastCertifyingN(alpha, bound);
  if (n < least) {
    const detail = `n = ${n} samples cannot certify at alpha = ${alpha}: at least ${least} are needed`;
    throw new DomainError('cannot_certify', detail, [{ pointer: `${pointer}/n`, detail }]);
  }
  return { sigma, n0, n, alpha, bound };
}

/**
 * Fills in the defaults and checks a prediction's parameters.
 *
 * @throws DomainError `validation_failed` with every fault, or `cannot_certify` where even unanimous votes would not
 *   be significant at alpha (p-value 2^(1-n) of n votes to none)
 */
export function predictParameters(
  asked: { sigma: number } & Partial<PredictParameters>,
  pointer = '/parameters',
): PredictParameters {
  const { sigma, n, alpha } = { ...PREDICT_DEFAULTS, ...asked };
  const faults = numericFaults({ sigma, n, alpha }, pointer);
  if (faults.length > 0) throw new DomainError('validation_failed', undefined, faults);
  if (2 ** (1 - n) > alpha) {
    const detail = `n = ${n} samples cannot be significant at alpha = ${alpha}: 2^(1-n) must be at most alpha`;
    throw new DomainError('cannot_certify', detail, [{ pointer: `${pointer}/n`, detail }]);
  }
  return { sigma, n, alpha };
}
