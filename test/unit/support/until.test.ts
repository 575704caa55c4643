import { expect, test } from 'vitest';
import { until } from '../../support/until.ts';

test('resolves with the first answer that is neither false, null nor undefined', async () => {
  const answers = [false, null, undefined, 0];
  expect(await until(() => answers.shift(), { what: 'an answer' })).toBe(0);
  expect(answers).toEqual([]);
});

test('waits for promises', async () => {
  let looks = 0;
  expect(await until(async () => (looks += 1) > 3 && 'here', { what: 'four looks' })).toBe('here');
});

test('takes an error for "not yet"', async () => {
  let looks = 0;
  const flaky = () => {
    looks += 1;
    if (looks < 3) throw new Error('refused');
    return looks;
  };
  expect(await until(flaky, { what: 'a connection' })).toBe(3);
});

test('past the deadline says what was waited for and the last answer', async () => {
  await expect(until(() => false, { what: 'the end', timeoutMs: 20 })).rejects.toThrow(
    'timed out after 0.02 s waiting for the end; last answer: false',
  );
});

test('past the deadline gives the last error as the cause', async () => {
  const cause = new Error('refused');
  const waiting = until(() => Promise.reject(cause), { what: 'a connection', timeoutMs: 20 });
  await expect(waiting).rejects.toMatchObject({
    message: expect.stringContaining('last error: refused'),
    cause,
  });
});

test('looks at least once, however short the time', async () => {
  expect(await until(() => 'at once', { what: 'anything', timeoutMs: 0 })).toBe('at once');
});

test('does not hang with its condition', async () => {
  const never = new Promise<true>(() => {});
  await expect(until(() => never, { what: 'a reply', timeoutMs: 30 })).rejects.toThrow(
    'waiting for a reply: the condition did not answer in time',
  );
});
