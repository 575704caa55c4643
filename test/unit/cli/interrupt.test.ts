import { afterEach, describe, expect, it, vi } from 'vitest';
import { InterruptedError, interruptible, type Interruption } from '../../../src/cli/interrupt.ts';

/** As if the terminal had sent it, to the listeners of this process only. */
const send = (signal: Interruption): void => void process.emit(signal, signal);
const listeners = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');

describe('interruptible', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s aborts with an InterruptedError as the reason',
    async (name) => {
      const running = interruptible(async (signal) => {
        send(name);
        expect(signal.aborted).toBe(true);
        signal.throwIfAborted();
      });
      await expect(running).rejects.toSatisfy(
        (error) => error instanceof InterruptedError && error.signal === name,
      );
    },
  );

  it('rejects even if the action ignores the interruption and finishes', async () => {
    const running = interruptible(async () => {
      send('SIGINT');
      return 'done';
    });
    await expect(running).rejects.toBeInstanceOf(InterruptedError);
  });

  it('lets the action wind up first', async () => {
    const steps: string[] = [];
    const running = interruptible(async (signal) => {
      send('SIGINT');
      await Promise.resolve();
      steps.push('wound up');
      throw signal.reason;
    });
    await expect(running).rejects.toBeInstanceOf(InterruptedError);
    expect(steps).toEqual(['wound up']);
  });

  it('ends the process at once on a second Ctrl-C', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation((): never => undefined as never);
    const running = interruptible(async () => {
      send('SIGINT');
      expect(exit).not.toHaveBeenCalled();
      send('SIGINT');
      expect(exit).toHaveBeenCalledExactlyOnceWith(130);
    });
    await expect(running).rejects.toBeInstanceOf(InterruptedError);
  });

  it('passes on results and errors, and leaves no listener behind', async () => {
    const before = listeners();
    await expect(interruptible(async () => 7)).resolves.toBe(7);
    await expect(interruptible(() => Promise.reject(new Error('own')))).rejects.toThrow('own');
    expect(listeners()).toBe(before);
  });
});
