import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/cli/interrupt.ts';
import { describeError } from '../../../src/cli/report-error.ts';
import { usageError } from '../../../src/cli/usage-error.ts';
import { DomainError } from '../../../src/errors.ts';

describe('describeError', () => {
  it('prints every fault on a line of its own', () => {
    const error = usageError(
      { pointer: '--n', detail: 'must be an integer' },
      { pointer: 'a.png', detail: 'is empty' },
      { pointer: '', detail: 'is wrong as a whole' },
    );
    expect(describeError(error, false).split('\n')).toEqual([
      'smoothcert: Values on the command line are missing or not allowed.',
      '  --n: must be an integer',
      '  a.png: is empty',
      '  is wrong as a whole',
    ]);
  });

  it('prints the sentence of an error without faults', () => {
    const error = new DomainError('model_invalid', 'the models directory /x cannot be read');
    expect(describeError(error, false)).toBe('smoothcert: the models directory /x cannot be read');
    expect(describeError('text', false)).toBe('smoothcert: text');
  });

  it('shows a stack and its causes only where they are asked for', () => {
    const error = new Error('outer', { cause: new Error('inner', { cause: new TypeError('innermost') }) });
    expect(describeError(error, false)).toBe('smoothcert: outer');
    const text = describeError(error, true);
    expect(text).toContain('report-error.test.ts');
    expect(text).toContain('caused by: Error: inner');
    expect(text).toContain('caused by: TypeError: innermost');
  });

  it('says of an interruption only that', () => {
    expect(describeError(new InterruptedError('SIGINT'), true)).toBe('smoothcert: interrupted');
  });
});
