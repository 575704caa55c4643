import { describe, expect, it } from 'vitest';
import { NumberOptions, parseDecimal } from '../../../src/cli/number-options.ts';

const COUNT = { minimum: 0, maximum: 10, integer: true };
const SHARE = { minimum: 0.25, maximum: 0.5, integer: false };

describe('parseDecimal', () => {
  it.each([
    ['0', 0],
    ['7312', 7312],
    ['0.001', 0.001],
    ['.5', 0.5],
    ['5.', 5],
    ['1e-3', 0.001],
    ['1E5', 100_000],
    ['-2', -2],
    ['+2', 2],
    [' 3 ', 3],
  ])('reads %j', (text, value) => expect(parseDecimal(text)).toBe(value));

  it.each(['', ' ', 'abc', '0x10', '1,000', '1_000', 'Infinity', 'NaN', '1e', '--1', '1 2', '.'])(
    '%j is no number',
    (text) => expect(parseDecimal(text)).toBeNaN(),
  );
});

describe('NumberOptions', () => {
  it('reads options by their names, dashes and all', () => {
    const numbers = new NumberOptions({ votes: '7', runnerUp: '3' });
    expect(numbers.required('votes', COUNT)).toBe(7);
    expect(numbers.optional('runner-up', COUNT)).toBe(3);
    expect(numbers.optional('other', COUNT)).toBeUndefined();
    expect(numbers.faults).toEqual([]);
  });

  it('takes both ends of a range', () => {
    const numbers = new NumberOptions({ a: '0', b: '10', c: '0.25', d: '0.5' });
    expect(numbers.required('a', COUNT)).toBe(0);
    expect(numbers.required('b', COUNT)).toBe(10);
    expect(numbers.required('c', SHARE)).toBe(0.25);
    expect(numbers.required('d', SHARE)).toBe(0.5);
    expect(numbers.faults).toEqual([]);
  });

  it('collects every fault, each with the option and its range', () => {
    const numbers = new NumberOptions({ votes: '11', half: '2.5', share: '0.6', word: 'many' });
    numbers.required('votes', COUNT);
    numbers.optional('half', COUNT);
    numbers.optional('share', SHARE);
    numbers.optional('word', COUNT);
    numbers.required('missing', SHARE);
    expect(numbers.faults).toEqual([
      { pointer: '--votes', detail: 'must be an integer from 0 to 10; got 11' },
      { pointer: '--half', detail: 'must be an integer from 0 to 10; got 2.5' },
      { pointer: '--share', detail: 'must be a number from 0.25 to 0.5; got 0.6' },
      { pointer: '--word', detail: 'must be an integer from 0 to 10; got many' },
      { pointer: '--missing', detail: 'is required: a number from 0.25 to 0.5' },
    ]);
  });
});
