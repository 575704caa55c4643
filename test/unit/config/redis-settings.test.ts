import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config/env.ts';
import { configFaults } from '../../support/config-faults.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smoothcert-redis-url-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(content: string): string {
  const path = join(folder, 'redis-url');
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

describe('REDIS_URL_FILE', () => {
  test('stands for REDIS_URL, so that a password is in no environment', () => {
    const path = fileWith('\n rediss://:secret@redis.example:6380/2 \n');
    expect(readConfig({}, { REDIS_URL_FILE: path }).redisUrl).toBe('rediss://:secret@redis.example:6380/2');
    expect(readConfig({}, { REDIS_URL_FILE: '', REDIS_URL: 'redis://a' }).redisUrl).toBe('redis://a');
  });

  test.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['two lines', 'redis://a\nredis://b\n'],
    ['something that is no URL', 'hunter2'],
    ['the URL of something else', 'https://hunter2'],
  ])('with %s in the file is refused, and the file is not repeated', (_what, content) => {
    expect(configFaults({ REDIS_URL_FILE: fileWith(content) })).toEqual([
      {
        pointer: 'REDIS_URL_FILE',
        detail: 'names a file that does not hold one redis://, rediss:// or unix:// URL and nothing else',
      },
    ]);
  });

  test.each([
    ['a file of 4,097 bytes', () => fileWith(`redis://${'a'.repeat(4_089)}`)],
    ['a file without end', () => '/dev/zero'],
  ])('is refused for %s', (_what, path) => {
    expect(configFaults({ REDIS_URL_FILE: path() })).toEqual([
      { pointer: 'REDIS_URL_FILE', detail: 'names a file of more than 4096 bytes, not a URL' },
    ]);
    expect(configFaults({ REDIS_URL_FILE: fileWith(`redis://${'a'.repeat(4_088)}`) })).toEqual([]);
  });

  const OTHERS = { SMOOTHCERT_PORT: 'x', SMOOTHCERT_DEVICES: 'cpu', SMOOTHCERT_TENSORRT: 'on' };
  test.each([
    ['is not there', () => join(folder, 'missing'), 'ENOENT'],
    ['is a folder', () => folder, 'EISDIR'],
  ])('is refused when the file %s, together with every other fault', (_what, path, code) => {
    expect(configFaults({ ...OTHERS, REDIS_URL_FILE: path() })).toEqual([
      expect.objectContaining({ pointer: 'SMOOTHCERT_PORT' }),
      { pointer: 'REDIS_URL_FILE', detail: `cannot be read: ${code}` },
      expect.objectContaining({ pointer: 'SMOOTHCERT_TENSORRT' }),
    ]);
  });

  test('is refused beside REDIS_URL: neither wins silently', () => {
    expect(configFaults({ REDIS_URL: 'redis://a', REDIS_URL_FILE: fileWith('redis://b') })).toEqual([
      { pointer: 'REDIS_URL_FILE', detail: 'and REDIS_URL are both set; only one is allowed' },
    ]);
  });
});
