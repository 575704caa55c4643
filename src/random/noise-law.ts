import { type Cutpoints, gaussianCutpoints, totalVariationBound } from './cutpoints.ts';
import { NoiseRangeError } from './noise-range-error.ts';

/**
 * How noise follows from a seed, bit for bit: the derivation of an input's stream, the generator and its counters, the
 * rounding of the law. Whoever knows scheme and seed can draw the noise again.
 */
export interface NoiseScheme {
  readonly scheme: string;
  readonly version: number;
}

/**
 * The law of a job's noise, and the scheme that draws it. It is fixed when the job is accepted and travels with it, through
 * record, work, votes and certificate: two releases that share a queue may draw by different schemes, and no program may
 * take its own for the job's.
 */
export interface NoiseLaw extends NoiseScheme {
  /** The real law that what is drawn was rounded from: "gaussian". */
  readonly distribution: string;
  /** Standard deviation in pixel units of the [0, 1] image. */
  readonly sigma: number;
}

const ROUNDED_GAUSSIAN = { distribution: 'gaussian', scheme: 'rounded-gaussian', version: 1 } as const;

/** The schemes that this build draws by. */
export const DRAWN_SCHEMES: readonly NoiseScheme[] = [
  { scheme: ROUNDED_GAUSSIAN.scheme, version: ROUNDED_GAUSSIAN.version },
];

/** N(0, sigma²) by the scheme that this build draws new jobs by. */
export function gaussianLaw(sigma: number): NoiseLaw {
  return { ...ROUNDED_GAUSSIAN, sigma };
}

/** Whether this build draws the law. Of any other it knows no distribution, so that it can neither draw nor certify it. */
export function drawsLaw(law: NoiseLaw): boolean {
  return law.distribution === ROUNDED_GAUSSIAN.distribution && sameScheme(law, ROUNDED_GAUSSIAN);
}

export function sameScheme(a: NoiseScheme, b: NoiseScheme): boolean {
  return a.scheme === b.scheme && a.version === b.version;
}

export function sameLaw(a: NoiseLaw, b: NoiseLaw): boolean {
  return sameScheme(a, b) && a.distribution === b.distribution && a.sigma === b.sigma;
}

/** The scheme in words that only the same scheme has. */
export function describeScheme({ scheme, version }: NoiseScheme): string {
  return `${scheme} ${version}`;
}

/** The law in words that only the same law has. */
export function describeLaw(law: NoiseLaw): string {
  return `${law.distribution} noise of sigma ${law.sigma} by ${describeScheme(law)}`;
}

/**
 * The law as the kernel draws it: of one element.
 *
 * @throws {NoiseRangeError} for a law that this build does not draw, or a sigma outside the scheme's tables
 */
export function lawCutpoints(law: NoiseLaw): Cutpoints {
  if (drawsLaw(law)) return gaussianCutpoints(law.sigma);
  const drawn = DRAWN_SCHEMES.map(describeScheme).join(' or ');
  throw new NoiseRangeError('noise law', describeLaw(law), `drawn by ${drawn}`);
}

/**
 * An upper bound of the total variation distance between the noise that is drawn for a whole input and the real law.
 *
 * @param elements of the input (pixels times channels), 0 to 2³⁵
 * @throws {NoiseRangeError} as `lawCutpoints` does, and for any other number of elements
 */
export function lawVariation(law: NoiseLaw, elements: number): number {
  return totalVariationBound(lawCutpoints(law), elements);
}
