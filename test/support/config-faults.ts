import { readConfig } from '../../src/config/env.ts';
import { DomainError, type Fault } from '../../src/errors.ts';

/** The faults that reading these variables finds; none where they are allowed. */
export function configFaults(environment: Readonly<Record<string, string>>): readonly Fault[] {
  try {
    readConfig({}, environment);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'config_invalid') return error.faults;
    throw error;
  }
  return [];
}
