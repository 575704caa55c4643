import { describe, expect, test } from 'vitest';
import { createServerLog, isWarning } from '../../../../src/redis/embedded/server-log.ts';

const AT = '13073:M 23 Nov 2026 21:30:32.125';

function recorder() {
  const seen: { level: string; line: unknown }[] = [];
  const note = (level: string) => (details: object) => {
    seen.push({ level, line: 'line' in details ? details.line : null });
  };
  return {
    seen,
    logger: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
  };
}

describe('the log of the server', () => {
  test.each([
    `${AT} # Bad file format reading the append only file appendonly.aof.1.incr.aof`,
    `${AT} # Can't open or create append-only dir appendonlydir: Permission denied`,
    '/bin/sh: 1: exec: redis-server: not found',
    'error while loading shared libraries: libjemalloc.so.2: cannot open shared object file',
  ])('warns of "%s"', (line) => {
    expect(isWarning(line)).toBe(true);
  });

  test.each([
    `${AT} # Server initialized`,
    '13073:C 23 Nov 2026 21:30:32.120 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo',
    '13073:C 23 Nov 2026 21:30:32.120 # Redis version=7.0.15, bits=64, commit=00000000, modified=0, pid=13073, just started',
    '13073:C 23 Nov 2026 21:30:32.120 # Configuration loaded',
    `${AT} # WARNING Memory overcommit must be enabled! Without it, a background save may fail`,
    `${AT} # User requested shutdown...`,
    `${AT} # Redis is now ready to exit, bye bye...`,
    '13073:signal-handler (1795469432) Received SIGTERM scheduling shutdown...',
    `${AT} * DB loaded from append only file: 0.001 seconds`,
    `${AT} - Accepted connection`,
  ])('does not warn of "%s"', (line) => {
    expect(isWarning(line)).toBe(false);
  });

  test('is passed on line by line however it arrives, the unfinished last line at the end', () => {
    const { seen, logger } = recorder();
    const log = createServerLog(logger);
    log.write(`${AT} * one\n${AT} # t`);
    log.write(`wo\n\n${AT} * thr`);
    log.write('ee');
    expect(seen).toHaveLength(2);
    log.end();
    expect(seen).toEqual([
      { level: 'debug', line: `${AT} * one` },
      { level: 'warn', line: `${AT} # two` },
      { level: 'debug', line: `${AT} * three` },
    ]);
  });

  test('keeps the last eight warnings and nothing of the routine', () => {
    const log = createServerLog(recorder().logger);
    for (let count = 1; count <= 12; count += 1) log.write(`fault ${count}\n${AT} # Server initialized\n`);
    expect(log.tail().split('\n')).toEqual([5, 6, 7, 8, 9, 10, 11, 12].map((count) => `fault ${count}`));
  });

  test('holds no more than a limit of a line without end', () => {
    const { seen, logger } = recorder();
    const log = createServerLog(logger);
    for (let count = 0; count < 100; count += 1) log.write('x'.repeat(1000));
    log.end();
    expect(seen).toEqual([{ level: 'warn', line: 'x'.repeat(2000) }]);
  });
});
