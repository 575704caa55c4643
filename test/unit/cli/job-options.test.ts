import { describe, expect, it } from 'vitest';
import { nameOptions, readParameters, readReproduction, readServer } from '../../../src/cli/job-options.ts';
import { DomainError } from '../../../src/errors.ts';

function refusal(action: () => unknown): DomainError {
  try {
    action();
  } catch (error) {
    if (error instanceof DomainError) return error;
  }
  throw new Error('it was accepted');
}

describe('readParameters', () => {
  it('gives only what was asked, so that the service fills in the rest', () => {
    expect(readParameters('certification', {})).toEqual({});
    expect(readParameters('prediction', { n: '500' })).toEqual({ n: 500 });
    expect(
      readParameters('certification', {
        sigma: '0.25',
        n: '1e4',
        n0: '50',
        alpha: '0.01',
        bound: 'pA-pB',
      }),
    ).toEqual({ sigma: 0.25, n: 10_000, n0: 50, alpha: 0.01, bound: 'pA-pB' });
  });

  it('reports all faults at once, by the names of the options', () => {
    const error = refusal(() =>
      readParameters('certification', {
        sigma: 'x',
        n: '0',
        n0: '1.5',
        alpha: '2',
        bound: 'both',
      }),
    );
    expect(error.code).toBe('validation_failed');
    expect(error.faults.map(({ pointer }) => pointer).sort()).toEqual([
      '--alpha',
      '--bound',
      '--n',
      '--n0',
      '--sigma',
    ]);
  });

  it('refuses what could never certify', () => {
    const error = refusal(() => readParameters('certification', { n: '5' }));
    expect(error.code).toBe('cannot_certify');
    expect(error.faults).toEqual([{ pointer: '--n', detail: expect.stringContaining('at least 10') }]);
  });

  it('refuses a prediction that could never be significant', () => {
    expect(refusal(() => readParameters('prediction', { n: '5' })).code).toBe('cannot_certify');
  });
});

describe('readReproduction', () => {
  it('asks for nothing without a seed, and with one for that part of the earlier job', () => {
    expect(readReproduction({})).toEqual({});
    expect(readReproduction({ seed: 'ab' })).toEqual({ reproductionSeed: 'ab' });
    expect(readReproduction({ seed: 'ab', index: '2' })).toEqual({
      reproductionSeed: 'ab',
      reproductionIndex: 2,
    });
  });

  it('refuses an index that is none, and one without a seed, at once', () => {
    expect(refusal(() => readReproduction({ index: '1.5' })).faults).toEqual([
      { pointer: '--index', detail: 'must be an integer from 0 to 1000000000; got 1.5' },
      { pointer: '--index', detail: expect.stringContaining('needs --seed') },
    ]);
  });
});

describe('readServer', () => {
  it.each(['http://127.0.0.1:8080', 'https://certify.example/base/'])('takes %s', (url) => {
    expect(readServer(url)).toBe(url);
  });

  it.each(['', '127.0.0.1:8080', 'ftp://example.org', 'file:///etc/passwd'])('refuses %j', (url) => {
    expect(refusal(() => readServer(url)).faults[0]?.pointer).toBe('--server');
  });
});

describe('nameOptions', () => {
  it.each([
    ['/parameters/n', '--n'],
    ['/model', '--model'],
    ['/reproductionSeed', '--seed'],
    ['/reproductionIndex', '--index'],
    ['/inputs/1/image', 'b.png'],
    ['/inputs/7/image', '/inputs/7/image'],
    ['/elsewhere', '/elsewhere'],
  ])('the pointer %s is %s on the command line', (pointer, name) => {
    const error = new DomainError('validation_failed', undefined, [{ pointer, detail: 'd' }]);
    const named = nameOptions(error, ['a.png', 'b.png']);
    expect(named.code).toBe('validation_failed');
    expect(named.faults).toEqual([{ pointer: name, detail: 'd' }]);
  });
});
