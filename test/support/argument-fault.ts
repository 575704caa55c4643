import { ArgumentError } from '../../src/statistics/argument-checks.ts';

/** The ArgumentError that `call` throws; an error if it throws another or none. */
export function argumentFault(call: () => unknown): ArgumentError {
  try {
    call();
  } catch (error) {
    if (error instanceof ArgumentError) return error;
    throw error;
  }
  throw new Error('no ArgumentError was thrown');
}
