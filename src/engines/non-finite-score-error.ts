import { DomainError } from '../errors.ts';

/** The network gave a score that is NaN or infinite: it has no class there. */
export class NonFiniteScoreError extends DomainError {
  constructor() {
    super('model_output_invalid', 'the model gave a score that is not a finite number');
  }
}
