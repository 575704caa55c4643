import { DomainError } from '../errors.ts';

/** The variables behind settings with which other rooms find fault; these know them by their names in `Config`. */
const VARIABLES: Readonly<Record<string, string>> = {
  devices: 'SMOOTHCERT_DEVICES',
  precision: 'SMOOTHCERT_PRECISION',
  tensorrt: 'SMOOTHCERT_TENSORRT',
};

/** An error in the terms of whoever sets variables: each fault by the name of the one that is to be changed. */
export function nameVariables(error: unknown): unknown {
  if (!(error instanceof DomainError) || error.faults.length === 0) return error;
  const faults = error.faults.map(({ pointer, detail }) => ({
    pointer: VARIABLES[pointer] ?? pointer,
    detail,
  }));
  return new DomainError(error.code, error.message, faults, { cause: error });
}
