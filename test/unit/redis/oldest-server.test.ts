import { expect, test } from 'vitest';
import { isTooOld } from '../../../src/redis/oldest-server.ts';

test.each(['6.2', '6.2.0', '6.2.14', '7.0.15', '8.0.1', '10.0.0'])(
  'a server of version %s is new enough',
  (version) => {
    expect(isTooOld(version)).toBe(false);
  },
);

test.each(['2.8.19', '5.0.14', '6.0.16', '6.1.99'])('a server of version %s is too old', (version) => {
  expect(isTooOld(version)).toBe(true);
});
