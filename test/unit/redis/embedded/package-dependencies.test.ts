import { expect, test } from 'vitest';
import { dependencyNames } from '../../../../src/redis/embedded/package-dependencies.ts';

test('the libraries of Debian 12 are named without versions, and the parts of an installed service are not', () => {
  // The Depends field of redis-tools 5:7.0.15-1~deb12u10.
  const depends =
    'adduser, libatomic1 (>= 4.8), libc6 (>= 2.34), libjemalloc2 (>= 3.5.0), liblzf1 (>= 1.5), libssl3 (>= 3.0.0), libsystemd0';
  expect(dependencyNames(depends)).toEqual([
    'libatomic1',
    'libc6',
    'libjemalloc2',
    'liblzf1',
    'libssl3',
    'libsystemd0',
  ]);
});

test('of alternatives the first is taken, and an architecture is left out', () => {
  expect(dependencyNames('libsystemd0 | libelogind0, liblua5.1-0:any (>= 5.1), lua-cjson\n')).toEqual([
    'libsystemd0',
    'liblua5.1-0',
    'lua-cjson',
  ]);
});

test('a package without dependencies has none', () => {
  expect(dependencyNames('')).toEqual([]);
  expect(dependencyNames('\n')).toEqual([]);
});
