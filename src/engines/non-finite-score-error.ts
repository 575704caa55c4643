/** The network gave a score that is NaN or infinite: it has no class there. */
export class NonFiniteScoreError extends Error {
  override readonly name = 'NonFiniteScoreError';
  constructor() {
    super('the model gave a score that is not a finite number');
  }
}
