import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import type { Fault } from './errors.ts';

/** The part of a JSON Schema validator's error that a fault is made of. */
export interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params?: unknown;
  readonly message?: string | undefined;
}

/** Faults that are looked for in one document. A hostile one could have millions, each longer than what causes it. */
export const FAULTS_MOST = 100;

/** A validator of `schema` that finds up to `FAULTS_MOST` faults. */
export function compileSchema<Schema extends TSchema>(schema: Schema) {
  // TypeBox stops at 8 errors, which is not "every fault at once". The setting is the whole process's, and read at each check.
  Settings.Set({ maxErrors: FAULTS_MOST });
  return Compile(schema);
}

/** Patterns that a sentence says better; the others are shown as they are. */
const PATTERN_SENTENCES: Readonly<Record<string, string>> = {
  '^[0-9a-f]{64}$': 'must be 64 hexadecimal digits in lower case',
  '^[0-9]+\\.[0-9]+\\.[0-9]+$': 'must be three numbers, such as 1.0.0',
  '^[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$':
    'must be a name of letters, digits, points, dashes, underscores and slashes, 200 at most',
};

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'an integer',
  object: 'an object',
  array: 'an array',
  boolean: 'true or false',
  null: 'null',
};

function quoted(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}

/** A name as a part of a JSON pointer (RFC 6901, section 3). */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * Turns validator errors into faults: one pointer to the value (for a missing or unknown field, to that field) and a
 * sentence with what is allowed. Errors that only repeat another one at the same place are left out.
 */
export function describeFaults(errors: Iterable<SchemaError>): Fault[] {
  const all = [...errors];
  const faults = new Map<string, Fault>();
  const add = (pointer: string, detail: string): void => {
    const key = `${pointer} ${detail}`;
    if (!faults.has(key)) faults.set(key, { pointer, detail });
  };
  for (const error of all) {
    const { keyword, instancePath, params } = error;
    const details = (params ?? {}) as Record<string, unknown>;
    const at = (name: unknown): string => `${instancePath}/${escapePointer(String(name))}`;
    // The branches of a union fail one by one; to the reader they are one fault.
    const everyBranch = (name: string): unknown[] => [
      ...new Set(
        all
          .filter((other) => other.keyword === keyword && other.instancePath === instancePath)
          .map((other) => (other.params as Record<string, unknown>)[name]),
      ),
    ];
    switch (keyword) {
      case 'required':
        for (const name of [details['requiredProperties']].flat()) add(at(name), 'is required');
        break;
      case 'additionalProperties':
        for (const name of [details['additionalProperties']].flat()) add(at(name), 'is not a known field');
        break;
      // "schema is false" and a union's summary repeat what the other errors at the same place say.
      case 'boolean':
        break;
      case 'anyOf':
        if (!all.some((other) => other !== error && other.instancePath.startsWith(instancePath)))
          add(instancePath, 'has none of the allowed forms');
        break;
      case 'const':
        add(instancePath, oneOf(everyBranch('allowedValue')));
        break;
      case 'type': {
        // Whoever reads which values are allowed knows their type.
        if (all.some(({ keyword: other, instancePath: at }) => other === 'enum' && at === instancePath))
          break;
        const names = everyBranch('type').map((name) => TYPE_NAMES[String(name)] ?? String(name));
        add(instancePath, `must be ${names.join(' or ')}`);
        break;
      }
      case 'enum':
        add(instancePath, oneOf([details['allowedValues']].flat()));
        break;
      default:
        add(instancePath, sentence(error, details));
    }
  }
  return [...faults.values()];
}

function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? `must be ${quoted(values)}` : `must be one of ${quoted(values)}`;
}

function sentence({ keyword, message }: SchemaError, details: Record<string, unknown>): string {
  const limit = String(details['limit']);
  const count = (noun: string): string => `${limit} ${noun}${limit === '1' ? '' : 's'}`;
  switch (keyword) {
    case 'minimum':
      return `must be at least ${limit}`;
    case 'maximum':
      return `must be at most ${limit}`;
    case 'exclusiveMinimum':
      return `must be greater than ${limit}`;
    case 'exclusiveMaximum':
      return `must be less than ${limit}`;
    case 'minLength':
      return limit === '1' ? 'must not be empty' : `must have at least ${count('character')}`;
    case 'maxLength':
      return `must have at most ${count('character')}`;
    case 'minItems':
      return limit === '1' ? 'must not be empty' : `must have at least ${count('item')}`;
    case 'maxItems':
      return `must have at most ${count('item')}`;
    case 'maxProperties':
      return `must have at most ${count('field')}`;
    case 'pattern': {
      const pattern = String(details['pattern']);
      return PATTERN_SENTENCES[pattern] ?? `must match the pattern ${pattern}`;
    }
    default:
      return message ?? `breaks the rule ${keyword}`;
  }
}
