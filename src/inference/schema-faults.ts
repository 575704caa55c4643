import type { Fault } from '../errors.ts';

/** The part of a JSON Schema validator's error that a fault is made of (Ajv's and TypeBox's have it in common). */
export interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params?: unknown;
  readonly message?: string | undefined;
}

function quoted(values: unknown): string {
  return [values]
    .flat()
    .map((value) => JSON.stringify(value))
    .join(', ');
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * Turns validator errors into faults: one pointer to the value (for a missing or unknown field, to that field) and a
 * sentence with what is allowed. Errors that only repeat another one at the same place are left out.
 */
export function describeFaults(errors: Iterable<SchemaError>): Fault[] {
  const faults = new Map<string, Fault>();
  for (const error of errors) {
    for (const fault of describeOne(error)) {
      const key = `${fault.pointer} ${fault.detail}`;
      if (!faults.has(key)) faults.set(key, fault);
    }
  }
  return [...faults.values()];
}

function describeOne({ keyword, instancePath, params, message }: SchemaError): Fault[] {
  const details = (params ?? {}) as Record<string, unknown>;
  const at = (name: unknown): string => `${instancePath}/${escapePointer(String(name))}`;
  switch (keyword) {
    case 'required': {
      const names = [details['missingProperty'] ?? details['requiredProperties']].flat();
      return names.map((name) => ({ pointer: at(name), detail: 'is required' }));
    }
    case 'additionalProperties': {
      const names = [details['additionalProperty'] ?? details['additionalProperties']].flat();
      return names.map((name) => ({ pointer: at(name), detail: 'is not a known field' }));
    }
    // "schema is false" and a union's summary repeat what the other errors at the same place say.
    case 'boolean':
    case 'anyOf':
      return keyword === 'anyOf'
        ? [{ pointer: instancePath, detail: 'has none of the allowed values or forms' }]
        : [];
    case 'const':
      return [{ pointer: instancePath, detail: `must be ${quoted(details['allowedValue'])}` }];
    case 'enum':
      return [{ pointer: instancePath, detail: `must be one of ${quoted(details['allowedValues'])}` }];
    case 'pattern':
      return [{ pointer: instancePath, detail: `must match the pattern ${String(details['pattern'])}` }];
    default:
      return [{ pointer: instancePath, detail: message ?? `breaks the rule ${keyword}` }];
  }
}
