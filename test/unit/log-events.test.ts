import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LOG_EVENTS, logLine } from '../../src/log-events.ts';

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url));
const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && path !== 'log-events.ts')
  .map((path) => readFileSync(join(SOURCES, path), 'utf8'));

test('a line carries its event, what it tells, and a sentence', () => {
  expect(logLine('chunk_drawn', { job: 'cert_1', samples: 7 })).toEqual([
    { event: 'chunk_drawn', job: 'cert_1', samples: 7 },
    'chunk drawn',
  ]);
});

test('no line is logged without an event', () => {
  const calls = sources.flatMap((text) => [
    ...text.matchAll(/\blog(?:ger)?(?:\.(?:fatal|error|warn|info|debug|trace)|\[level\])\(\s*(\S+?)\(/g),
  ]);
  expect(calls.length).toBeGreaterThan(30);
  expect(new Set(calls.map((match) => match[1]))).toEqual(new Set(['...logLine']));
});

test('every event is logged somewhere, and has a sentence of its own', () => {
  const logged = sources.flatMap((text) =>
    [...text.matchAll(/\blogLine\(\s*'(\w+)'/g)].map((match) => match[1]!),
  );
  expect([...new Set(logged)].toSorted()).toEqual(Object.keys(LOG_EVENTS));
  expect(new Set(Object.values(LOG_EVENTS)).size).toBe(Object.keys(LOG_EVENTS).length);
});
