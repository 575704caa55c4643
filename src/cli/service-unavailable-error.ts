/** The service did not answer, or answered that it cannot work right now. Trying again later may help. */
export class ServiceUnavailableError extends Error {
  override readonly name = 'ServiceUnavailableError';
}
