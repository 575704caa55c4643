import { describe, expect, test } from 'vitest';
import { Stack } from '../../src/lifecycle.ts';

/** Registers parts that write their name when they are closed. */
function parts(stack: Stack, names: readonly string[], closed: string[]): void {
  for (const name of names) stack.defer(async () => closed.push(name));
}

describe('a stack of parts', () => {
  test('closes the last part first, one after another', async () => {
    const closed: string[] = [];
    const stack = new Stack();
    const { promise, resolve } = latch();
    stack.defer(async () => closed.push('first'));
    stack.defer(async () => {
      await promise;
      closed.push('slow');
    });
    parts(stack, ['last'], closed);
    const closing = stack.close();
    await Promise.resolve();
    expect(closed).toEqual(['last']);
    resolve();
    await closing;
    expect(closed).toEqual(['last', 'slow', 'first']);
  });

  test('closes each part once, however often it is closed', async () => {
    const closed: string[] = [];
    const stack = new Stack();
    parts(stack, ['a', 'b'], closed);
    await Promise.all([stack.close(), stack.close()]);
    await stack.close();
    expect(closed.sort()).toEqual(['a', 'b']);
  });

  test('that starts is handed over open', async () => {
    const closed: string[] = [];
    const stack = await Stack.build(async (building) => {
      parts(building, ['a'], closed);
      return building;
    });
    expect(closed).toEqual([]);
    await stack.close();
    expect(closed).toEqual(['a']);
  });

  test('of which one does not start closes those that run, and tells why', async () => {
    const closed: string[] = [];
    const building = Stack.build(async (stack) => {
      parts(stack, ['a', 'b'], closed);
      throw new Error('c does not start');
    });
    await expect(building).rejects.toThrow('c does not start');
    expect(closed).toEqual(['b', 'a']);
  });

  test('is closed whole although a part fails to close, and that failure is told', async () => {
    const closed: string[] = [];
    const stack = new Stack();
    parts(stack, ['a'], closed);
    stack.defer(() => Promise.reject(new Error('b does not close')));
    parts(stack, ['c'], closed);
    await expect(stack.close()).rejects.toThrow('b does not close');
    expect(closed).toEqual(['c', 'a']);
  });

  test('that does not start tells that, not what went wrong as it closed', async () => {
    const building = Stack.build(async (stack) => {
      stack.defer(() => Promise.reject(new Error('a does not close')));
      throw new Error('b does not start');
    });
    await expect(building).rejects.toThrow('b does not start');
  });
});

function latch(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
