import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import {
  commandLineOf,
  identifyProcess,
  isRunning,
  parseProcessStat,
} from '../../support/process-identity.ts';
import { startUnreaped, untilGone } from '../../support/processes.ts';

const REST = '1 4242 4242 0 -1 4194560 103 0 0 0 0 0 0 0 20 0 1 0';

describe('a line of /proc/PID/stat', () => {
  test('gives state and start time', () => {
    expect(parseProcessStat(`4242 (redis-server) S ${REST} 8675309 2596864 221\n`)).toEqual({
      state: 'S',
      startTime: 8675309,
    });
  });

  test('is read rightly when the program is named to deceive', () => {
    expect(parseProcessStat(`4242 (a) Z 1 (b c) R ${REST} 77 0`)).toEqual({ state: 'R', startTime: 77 });
  });

  test.each(['', 'no brackets', '1 (short) S 1 2 3', `1 (x) S ${REST} ticks 0`])(
    'is refused as "%s"',
    (line) => {
      expect(parseProcessStat(line)).toBeNull();
    },
  );
});

describe('a process', () => {
  test('that lives is identified, and is the same a moment later', () => {
    const me = identifyProcess(process.pid);
    expect(me?.pid).toBe(process.pid);
    expect(isRunning(me!)).toBe(true);
  });

  test('with the same pid and another start time is another one', () => {
    const me = identifyProcess(process.pid)!;
    expect(isRunning({ ...me, startTime: me.startTime + 1 })).toBe(false);
  });

  test('that has ended is not running', async () => {
    const child = spawn('/bin/sh', ['-c', 'exec sleep 60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const identity = identifyProcess(child.pid!)!;
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isRunning(identity)).toBe(false);
    expect(identifyProcess(child.pid!)).toBeNull();
  });

  test.runIf(process.platform === 'linux')(
    'that is a zombie is not running, though it can be signalled',
    async () => {
      const pid = await startUnreaped();
      process.kill(pid, 'SIGKILL');
      await untilGone(pid);
      expect(identifyProcess(pid)).toBeNull();
      expect(process.kill(pid, 0)).toBe(true);
    },
  );

  test.runIf(process.platform === 'linux')('shows its command line, and an absent one shows none', () => {
    expect(commandLineOf(process.pid)[0]).toContain('node');
    expect(commandLineOf(2 ** 22 + 1)).toEqual([]);
  });
});
