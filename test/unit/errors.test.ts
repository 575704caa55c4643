import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isProblemCode, PROBLEM_CODES, PROBLEM_STATUS, problemOf } from '../../src/api/problem.ts';
import { exitCodeOf } from '../../src/cli/exit-code.ts';
import {
  BLAMES,
  DomainError,
  ERROR_CODES as codes,
  type ErrorCode,
  ERRORS,
  failureOf,
  isErrorCode,
} from '../../src/errors.ts';
import { NonFiniteScoreError } from '../../src/engines/non-finite-score-error.ts';
import { blamesDevice } from '../../src/host/supervised-host.ts';
import { isRetried } from '../../src/jobs/retry.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const YES = true;
const no = false;

/**
 * What clients, scripts and workers rely on, of every code: status of the response (null: it never is one), exit status of a
 * command, whether a chunk that failed so is drawn again, and whether that speaks against its device.
 */
const RELIED_ON: Readonly<
  Record<ErrorCode, readonly [status: number | null, exit: number, retried: boolean, blamesDevice: boolean]>
> = {
  malformed_request: [400, 2, no, no],
  request_refused: [400, 1, no, no],
  route_not_found: [404, 1, no, no],
  resource_not_found: [404, 1, no, no],
  not_acceptable: [406, 2, no, no],
  already_finished: [409, 1, no, no],
  model_refused: [409, 1, no, no],
  model_unavailable: [409, 1, YES, no],
  idempotency_key_reused: [422, 2, no, no],
  idempotency_key_in_use: [409, 3, no, no],
  results_expired: [410, 1, no, no],
  payload_too_large: [413, 2, no, no],
  unsupported_media_type: [415, 2, no, no],
  validation_failed: [422, 2, no, no],
  cannot_certify: [422, 2, no, no],
  internal_error: [500, 1, YES, YES],
  server_busy: [503, 3, no, no],
  queue_unavailable: [503, 3, no, no],
  input_undecodable: [null, 1, no, no],
  input_wrong_shape: [null, 1, no, no],
  input_unsupported: [null, 1, no, no],
  sampling_failed: [null, 1, YES, YES],
  device_failed: [null, 1, YES, YES],
  model_output_invalid: [null, 1, no, no],
  noise_unavailable: [null, 1, YES, no],
  model_invalid: [null, 1, no, no],
  model_digest_mismatch: [null, 1, no, no],
  engine_missing: [null, 3, no, no],
  engine_unavailable: [null, 3, no, no],
  config_invalid: [null, 2, no, no],
  device_unavailable: [null, 3, no, no],
  redis_unavailable: [null, 3, no, no],
  release_mismatch: [503, 3, no, no],
};

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
    const { title, help } = ERRORS[code];
    for (const sentence of [title, help]) expect(sentence).toMatch(/^[A-Z].*\.$/);
    expect(codes.filter((other) => ERRORS[other].title === title)).toEqual([code]);
    expect(codes.filter((other) => ERRORS[other].help === help)).toEqual([code]);
  });

  test('has an example of each blame', () => {
    expect([...new Set(codes.map((code) => ERRORS[code].blame))].sort()).toEqual([...BLAMES].sort());
  });

  test.each(codes)('says of %s all that follows from it', (code) => {
    expect([
      PROBLEM_STATUS[code],
      exitCodeOf(new DomainError(code)),
      isRetried(code),
      blamesDevice(code),
    ]).toEqual(RELIED_ON[code]);
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
    expect(new DomainError('queue_unavailable').message).toBe(ERRORS.queue_unavailable.title);
    expect(new DomainError('queue_unavailable', 'away').message).toBe('away');
  });

  test('keeps its faults and its cause', () => {
    const cause = new Error('below');
    const faults = [{ pointer: '/a', detail: 'is wrong' }];
    const error = new DomainError('validation_failed', undefined, faults, { cause });
    expect(error).toMatchObject({ name: 'DomainError', code: 'validation_failed', faults, cause });
    expect(new DomainError('validation_failed').faults).toEqual([]);
  });

  test('as data has its code and its sentence', () => {
    expect(failureOf(new DomainError('model_invalid', 'it is cut off'), 'sampling_failed')).toEqual({
      code: 'model_invalid',
      detail: 'it is cut off',
    });
    expect(failureOf(new NonFiniteScoreError(), 'sampling_failed').code).toBe('model_output_invalid');
  });

  test.each([
    [new TypeError('x is not a function'), 'x is not a function'],
    ['a text', 'a text'],
    [null, 'null'],
    [undefined, 'undefined'],
  ])('that is no part of the contract is data too: %s', (error, detail) => {
    expect(failureOf(error, 'sampling_failed')).toEqual({ code: 'sampling_failed', detail });
  });
});

describe('as a problem', () => {
  test.each(PROBLEM_CODES)('%s has its status and the type /problems/<code>', (code) => {
    const error = new DomainError(code, 'what happened', [{ pointer: '/a', detail: 'is wrong' }]);
    expect(problemOf(error, '/v1/x')).toEqual({
      type: `/problems/${code}`,
      title: ERRORS[code].title,
      status: RELIED_ON[code][0],
      code,
      detail: 'what happened',
      instance: '/v1/x',
      errors: [{ pointer: '/a', detail: 'is wrong' }],
    });
  });

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
