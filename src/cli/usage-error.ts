import { DomainError, type Fault } from '../errors.ts';

/** Of a command line, which is no request: nobody may ever send one. */
export const USAGE_SENTENCE = 'Values on the command line are missing or not allowed.';

/** What is wrong with a command line, every fault by the name of its option or argument. */
export function usageError(...faults: Fault[]): DomainError {
  return new DomainError('validation_failed', USAGE_SENTENCE, faults);
}

/** Throws if there are any faults. @throws DomainError `validation_failed` */
export function refuseFaults(faults: readonly Fault[]): void {
  if (faults.length > 0) throw usageError(...faults);
}
