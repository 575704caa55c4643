import { DomainError, type Fault } from '../errors.ts';

/** What is wrong with a command line, every fault by the name of its option or argument. */
export function usageError(...faults: Fault[]): DomainError {
  return new DomainError('validation_failed', undefined, faults);
}

/** Throws if there are any faults. @throws DomainError `validation_failed` */
export function refuseFaults(faults: readonly Fault[]): void {
  if (faults.length > 0) throw usageError(...faults);
}
