import { randomInt } from 'node:crypto';
import { DomainError } from '../errors.ts';
import type { RegisteredModel } from '../models/store.ts';
import { gaussianLaw } from '../random/noise-law.ts';
import type { DeviceHost } from './device-host.ts';
import type { Segment, WarmModel, WorkInput } from './protocol.ts';

/** A uint8 tensor of a model, and the number of its true class. */
export interface LabelledTensor {
  readonly bytes: Uint8Array;
  readonly label: number;
}

/** A model that is tried before anybody relies on it: on one device, in a host process of its own. */
export interface ModelTrial {
  /** Opens, probes and measures it. @throws DomainError with the reason why a worker would refuse it */
  load(model: RegisteredModel): Promise<WarmModel>;
  /**
   * The share of noisy samples that the network gives their image's label: its accuracy under noise, of no certificate.
   *
   * @param sigma s.d. of the noise
   * @param samples of each image
   */
  accuracy(
    model: RegisteredModel,
    images: readonly LabelledTensor[],
    sigma: number,
    samples: number,
  ): Promise<number>;
  close(): Promise<void>;
}

/** Images of one piece of work: what is sent to the host at once stays small. */
const IMAGES = 100;
const WORD = 2 ** 32;
const NEVER = new AbortController().signal;

export function createModelTrial(host: DeviceHost): ModelTrial {
  let works = 0;

  async function right(
    model: RegisteredModel,
    images: readonly LabelledTensor[],
    sigma: number,
    samples: number,
  ): Promise<number> {
    const [key0, key1] = [randomInt(WORD), randomInt(WORD)];
    const inputs = images.map(({ bytes }, index): WorkInput => ({
      bytes,
      stream: { key0, key1, stream: index },
    }));
    const segments = images.map((_, input): Segment => ({
      input,
      purpose: 'selection',
      firstSample: 0,
      count: samples,
    }));
    works += 1;
    const outcome = await host.sample(
      { id: `trial ${works}`, model, noise: gaussianLaw(sigma), inputs, segments },
      NEVER,
      () => undefined,
    );
    if (outcome.kind === 'failed') throw new DomainError(outcome.code, outcome.detail);
    if (outcome.kind === 'aborted') throw new DomainError('internal_error', 'the trial was aborted');
    return images.reduce((sum, { label }, index) => sum + (outcome.votes[index]![label] ?? 0), 0);
  }

  return {
    async load(model) {
      const outcome = await host.load(model);
      if (outcome.kind === 'failed') throw new DomainError(outcome.code, outcome.detail);
      return outcome;
    },
    async accuracy(model, images, sigma, samples) {
      let sum = 0;
      for (let first = 0; first < images.length; first += IMAGES) {
        sum += await right(model, images.slice(first, first + IMAGES), sigma, samples);
      }
      return sum / (images.length * samples);
    },
    close: () => host.close(),
  };
}
