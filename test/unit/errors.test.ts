import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isProblemCode, PROBLEM_STATUS, problemOf } from '../../src/api/problem.ts';
import { DomainError, type ErrorCode, ERRORS, isErrorCode } from '../../src/errors.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const codes = Object.keys(ERRORS) as ErrorCode[];

function textsUnder(folder: string, suffix: string, except: readonly string[]): string {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix) && !except.includes(name))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'))
    .join('\n');
}

const sources = textsUnder('src', '.ts', ['errors.ts', 'api/problem.ts']);
const tests = textsUnder('test', '.test.ts', ['unit/errors.test.ts']);
const mentions = (text: string, code: string): boolean => text.includes(`'${code}'`);

describe('the table of errors', () => {
  test.each(codes)('has %s in words of its own: a name for machines, a sentence for people', (code) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(ERRORS[code]).toMatch(/^[A-Z].*\.$/);
    expect(codes.filter((other) => ERRORS[other] === ERRORS[code])).toEqual([code]);
  });

  test.each(codes)('has no %s that nothing in the sources produces', (code) => {
    expect(mentions(sources, code)).toBe(true);
  });

  test.each(codes)('has no %s that no test expects', (code) => {
    expect(mentions(tests, code)).toBe(true);
  });

  test('knows its codes and nothing else, not even what every object has', () => {
    expect(codes.every(isErrorCode)).toBe(true);
    for (const other of ['', 'nonsense', 'toString', '__proto__', 7, null, undefined]) {
      expect(isErrorCode(other)).toBe(false);
    }
  });
});

describe('an error', () => {
  test('says the sentence of its code unless it has a better one', () => {
    expect(new DomainError('queue_unavailable').message).toBe(ERRORS.queue_unavailable);
    expect(new DomainError('queue_unavailable', 'away').message).toBe('away');
  });

  test('keeps its faults and its cause', () => {
    const cause = new Error('below');
    const faults = [{ pointer: '/a', detail: 'is wrong' }];
    const error = new DomainError('validation_failed', undefined, faults, { cause });
    expect(error).toMatchObject({ name: 'DomainError', code: 'validation_failed', faults, cause });
    expect(new DomainError('validation_failed').faults).toEqual([]);
  });
});

describe('as a problem', () => {
  test.each(Object.entries(PROBLEM_STATUS))(
    '%s has the status %i and the type /problems/<code>',
    (code, status) => {
      const error = new DomainError(code as ErrorCode, 'what happened', [
        { pointer: '/a', detail: 'is wrong' },
      ]);
      expect(problemOf(error, '/v1/x')).toEqual({
        type: `/problems/${code}`,
        title: ERRORS[code as ErrorCode],
        status,
        code,
        detail: 'what happened',
        instance: '/v1/x',
        errors: [{ pointer: '/a', detail: 'is wrong' }],
      });
    },
  );

  test.each(codes.filter((code) => !isProblemCode(code)))(
    '%s, which no response can carry, is internal',
    (code) => {
      expect(problemOf(new DomainError(code, 'a secret'), '/')).toMatchObject({
        code: 'internal_error',
        status: 500,
      });
    },
  );

  test.each([new Error('a secret'), 'a secret', null, undefined])(
    '%s tells nothing of what happened',
    (error) => {
      const problem = problemOf(error, '/v1/x');
      expect(problem).toMatchObject({ code: 'internal_error', status: 500, errors: [] });
      expect(JSON.stringify(problem)).not.toContain('secret');
    },
  );
});
