import { DomainError } from '../errors.ts';
import { describeScheme, drawsLaw, type NoiseLaw } from '../random/noise-law.ts';

/**
 * Refuses a law of the noise that this release does not draw.
 *
 * @throws DomainError `noise_unavailable`; a worker of another release may draw it
 */
export function requireNoise(noise: NoiseLaw): void {
  if (drawsLaw(noise)) return;
  throw new DomainError('noise_unavailable', `this release does not draw noise by ${describeScheme(noise)}`);
}
