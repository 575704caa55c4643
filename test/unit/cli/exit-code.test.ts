import { describe, expect, it } from 'vitest';
import { EXIT, exitCodeOf } from '../../../src/cli/exit-code.ts';
import { InterruptedError } from '../../../src/cli/interrupt.ts';
import { ServiceUnavailableError } from '../../../src/cli/client.ts';
import { EmbeddedRedisError } from '../../../src/redis/embedded/embedded-redis-error.ts';

describe('exit status', () => {
  it('is what scripts rely on', () => {
    expect(EXIT).toEqual({ ok: 0, failed: 1, usage: 2, unavailable: 3 });
  });

  it('is 3 where no service answers', () => {
    expect(exitCodeOf(new ServiceUnavailableError('away'))).toBe(3);
    expect(exitCodeOf(new EmbeddedRedisError('redis_data_in_use', 'in use'))).toBe(3);
  });

  it('is 128 and the number of the signal after an interruption', () => {
    expect(exitCodeOf(new InterruptedError('SIGINT'))).toBe(130);
    expect(exitCodeOf(new InterruptedError('SIGTERM'))).toBe(143);
  });

  it.each([new Error('unexpected'), 'text', undefined])('is 1 for anything else', (error) => {
    expect(exitCodeOf(error)).toBe(1);
  });
});
