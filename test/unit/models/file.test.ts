import { describe, expect, it } from 'vitest';
import { staysInside } from '../../../src/models/file.ts';

describe('staysInside', () => {
  it('accepts paths below the folder', () => {
    for (const path of ['weights.bin', 'a/b.bin', './a', 'a/../b', '..a', 'a..b/c'])
      expect(staysInside(path)).toBe(true);
  });

  it('refuses paths that leave the folder, absolute paths, and backslashes', () => {
    for (const path of ['', '..', '../a', 'a/../../b', '/', '/etc/passwd', 'a\\..\\b', 'C:\\a'])
      expect(staysInside(path)).toBe(false);
  });
});
