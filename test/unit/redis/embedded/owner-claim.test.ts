import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  claimPath,
  isOwnerAlive,
  otherClaims,
  parseClaim,
  removeClaim,
  thisProcess,
  writeClaim,
  type OwnerClaim,
} from '../../../../src/redis/embedded/owner-claim.ts';

const MINE: OwnerClaim = { owner: { pid: 10, startTime: 100 }, held: false, server: null, socketPath: null };
const THEIRS: OwnerClaim = {
  owner: { pid: 20, startTime: 200 },
  held: true,
  server: { pid: 21, startTime: 201 },
  socketPath: '/tmp/x/redis.sock',
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'smoothcert-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('claims on a data directory', () => {
  test('are read back as written, one’s own excepted', () => {
    writeClaim(directory, MINE);
    writeClaim(directory, THEIRS);
    expect(otherClaims(directory, MINE.owner)).toEqual([THEIRS]);
    expect(otherClaims(directory, THEIRS.owner)).toEqual([MINE]);
  });

  test('are readable by this user only, and leave no drafts', () => {
    writeClaim(directory, THEIRS);
    expect(statSync(claimPath(directory, THEIRS.owner)).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['owner-20-200.lock']);
  });

  test('of a reused pid are told apart by the start time', () => {
    writeClaim(directory, MINE);
    const successor = { ...MINE.owner, startTime: 101 };
    expect(otherClaims(directory, successor)).toEqual([MINE]);
  });

  test('are replaced by the same owner’s next one', () => {
    writeClaim(directory, MINE);
    writeClaim(directory, { ...MINE, held: true });
    expect(otherClaims(directory, THEIRS.owner)).toEqual([{ ...MINE, held: true }]);
  });

  test('can be removed twice', () => {
    writeClaim(directory, MINE);
    removeClaim(directory, MINE.owner);
    removeClaim(directory, MINE.owner);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('are not sought in other files', () => {
    for (const name of ['appendonly.aof', 'owner-1.lock', 'owner-1-2.lock.draft', 'my-owner-1-2.lock']) {
      writeFileSync(join(directory, name), 'not a claim');
    }
    expect(otherClaims(directory, MINE.owner)).toEqual([]);
  });

  test('know whether their owner lives', () => {
    const me = thisProcess();
    expect(isOwnerAlive({ ...MINE, owner: me })).toBe(true);
    expect(isOwnerAlive({ ...MINE, owner: { pid: me.pid, startTime: me.startTime + 1 } })).toBe(false);
  });

  test.each([
    '',
    'null',
    '{}',
    '{"owner":{"pid":1}}',
    '{"owner":{"pid":-5,"startTime":1},"held":true}',
    '{"owner":{"pid":1,"startTime":1}}',
    '{"owner":{"pid":"1","startTime":1},"held":true}',
  ])('that cannot be understood are never taken for free: %s', (text) => {
    writeFileSync(join(directory, 'owner-1-1.lock'), text);
    expect(() => otherClaims(directory, MINE.owner)).toThrow(/owner-1-1\.lock is not an owner's claim/);
    expect(() => parseClaim(text, 'some/path')).toThrow(/some\/path .* delete the file/);
  });
});
