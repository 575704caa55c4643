import { Type, type TSchema } from 'typebox';
import { describe, expect, test } from 'vitest';
import { compileSchema, describeFaults, escapePointer, FAULTS_MOST } from '../../src/schema-faults.ts';

const faults = (schema: TSchema, value: unknown): string[] =>
  describeFaults(compileSchema(schema).Errors(value)).map(({ pointer, detail }) => `${pointer} ${detail}`);
const closed = { additionalProperties: false };

describe('a fault reads as a sentence', () => {
  test.each<[string, TSchema, unknown, string]>([
    ['a wrong type', Type.String(), 1, 'must be a string'],
    ['a wrong list', Type.Array(Type.Null()), {}, 'must be an array'],
    ['a wrong flag', Type.Boolean(), 'yes', 'must be true or false'],
    ['a small number', Type.Number({ minimum: 2 }), 1, 'must be at least 2'],
    ['a large number', Type.Number({ maximum: 2 }), 3, 'must be at most 2'],
    ['a number on the lower edge', Type.Number({ exclusiveMinimum: 0.5 }), 0.5, 'must be greater than 0.5'],
    ['a number on the upper edge', Type.Number({ exclusiveMaximum: 1 }), 1, 'must be less than 1'],
    ['an empty text', Type.String({ minLength: 1 }), '', 'must not be empty'],
    ['a short text', Type.String({ minLength: 2 }), 'a', 'must have at least 2 characters'],
    ['a long text', Type.String({ maxLength: 1 }), 'ab', 'must have at most 1 character'],
    ['an empty list', Type.Array(Type.Null(), { minItems: 1 }), [], 'must not be empty'],
    ['a short list', Type.Array(Type.Null(), { minItems: 3 }), [null], 'must have at least 3 items'],
    ['a long list', Type.Array(Type.Null(), { maxItems: 1 }), [null, null], 'must have at most 1 item'],
    [
      'too many fields',
      Type.Record(Type.String(), Type.Null(), { maxProperties: 1 }),
      { a: null, b: null },
      'must have at most 1 field',
    ],
    [
      'a digest',
      Type.String({ pattern: '^[0-9a-f]{64}$' }),
      'AB',
      'must be 64 hexadecimal digits in lower case',
    ],
    ['another pattern', Type.String({ pattern: '^a+$' }), 'b', 'must match the pattern ^a+$'],
    ['one value', Type.Literal('uint8'), 'int8', 'must be "uint8"'],
    ['several values', Type.Enum(['a', 'b']), 'c', 'must be one of "a", "b"'],
    ['several values of one type', Type.Enum(['a', 'b'], { type: 'string' }), 3, 'must be one of "a", "b"'],
    ['a union of values', Type.Union([Type.Literal(1), Type.Literal(3)]), 2, 'must be one of 1, 3'],
    ['a union of types', Type.Union([Type.Number(), Type.Null()]), 'x', 'must be a number or null'],
    ['a rule without a sentence of its own', Type.Number({ multipleOf: 2 }), 3, 'must be multiple of 2'],
  ])('for %s', (_, schema, value, sentence) => {
    expect(faults(schema, value)).toEqual([` ${sentence}`]);
  });

  test('for missing and unknown fields, each at its own place', () => {
    const schema = Type.Object({ a: Type.Null(), b: Type.Null() }, closed);
    expect(faults(schema, { c: 1, d: 2 })).toEqual([
      '/a is required',
      '/b is required',
      '/c is not a known field',
      '/d is not a known field',
    ]);
  });
});

test('pointers escape what RFC 6901 reserves', () => {
  expect(escapePointer('a/b~c')).toBe('a~1b~0c');
  expect(faults(Type.Object({}, closed), { 'a/b~c': 1 })).toEqual(['/a~1b~0c is not a known field']);
});

test('many faults are all found, up to a bound', () => {
  const list = Type.Array(Type.Null());
  const wrong = (count: number): number[] => Array<number>(count).fill(1);
  expect(faults(list, wrong(50))).toHaveLength(50);
  expect(faults(list, wrong(5_000))).toHaveLength(FAULTS_MOST);
});

test('the same fault is told once', () => {
  const error = { keyword: 'type', instancePath: '/a', params: { type: 'string' } };
  expect(describeFaults([error, error])).toHaveLength(1);
  expect(describeFaults([{ keyword: 'anyOf', instancePath: '/a' }])).toEqual([
    { pointer: '/a', detail: 'has none of the allowed forms' },
  ]);
  expect(describeFaults([{ keyword: 'novel', instancePath: '' }])).toEqual([
    { pointer: '', detail: 'breaks the rule novel' },
  ]);
});
