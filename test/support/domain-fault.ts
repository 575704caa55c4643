import { DomainError } from '../../src/errors.ts';

/** The DomainError that `call` throws or rejects with; an error if it throws another or none. */
export async function domainFault(call: () => unknown): Promise<DomainError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('no DomainError was thrown');
}
