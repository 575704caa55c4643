import { describe, expect, test } from 'vitest';
import { explainRefusal } from '../../../src/redis/explain-refusal.ts';

// The sentences are those of Redis 7.0 (src/server.c, src/aof.c, src/acl.c).
describe('what a server says as it refuses a command is told in words', () => {
  test.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", /limit of memory/, true],
    ['MISCONF Errors writing to the AOF file: No space left on device', /disk of Redis is full/, true],
    ['MISCONF Errors writing to the AOF file: Input/output error', /cannot write to its disk/, true],
    ["READONLY You can't write against a read only replica.", /replica/, true],
    ['LOADING Redis is loading the dataset in memory', /loading its data/, true],
    ["NOPERM this user has no permissions to run the 'set' command", /lacks a right/, false],
    ['WRONGPASS invalid username-password pair or user is disabled.', /name or the password/, false],
  ])('%s', (message, meaning, passing) => {
    const refusal = explainRefusal(new Error(message));
    expect(refusal?.reason).toMatch(meaning);
    expect(refusal?.reason).toContain(message);
    expect(refusal?.passing).toBe(passing);
  });

  test('of a transaction, it is the command in it that says why', () => {
    const error = new Error('EXECABORT Transaction discarded because of previous errors.');
    Object.assign(error, {
      previousErrors: [new Error("OOM command not allowed when used memory > 'maxmemory'.")],
    });
    expect(explainRefusal(error)).toMatchObject({ passing: true });
    expect(explainRefusal(error)?.reason).toContain('OOM');
  });

  test('of an error that wraps it, the cause does; others are none of the server', () => {
    const cause = new Error('LOADING Redis is loading the dataset in memory');
    expect(explainRefusal(new Error('not taken', { cause }))?.passing).toBe(true);
    expect(explainRefusal(new Error('connect ECONNREFUSED'))).toBeNull();
    expect(explainRefusal('OOM')).toBeNull();
  });
});
