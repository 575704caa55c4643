import { mkdir, readFile, realpath } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { expect, test } from 'vitest';
import { findExecutable } from '../../../src/find-executable.ts';
import { withoutServers, writeProgram } from '../../support/search-path.ts';
import { useTemporaryDirectory } from '../../support/temporary-directory.ts';

const at = useTemporaryDirectory();

test('a path without servers loses them alone, also where they lie beside everything else', async () => {
  for (const name of ['redis-server', 'setpriv', 'apt-get'])
    await writeProgram(at('usr', 'bin'), name, 'exit 0');
  await writeProgram(at('opt'), 'valkey-server', 'exit 0');
  const local = await writeProgram(at('local'), 'setpriv', 'exit 1');
  await mkdir(at('empty'));
  const whole = [at('empty'), at('usr', 'bin'), at('local'), at('opt'), 'relative', at('missing')].join(
    delimiter,
  );

  const path = await withoutServers(whole, at('links'));
  expect(findExecutable(['redis-server', 'valkey-server'], path)).toBeNull();
  for (const name of ['apt-get', 'setpriv']) {
    const found = findExecutable([name], path)!;
    // What comes first on the path is still what comes first.
    expect(found).not.toBe(local);
    expect(await realpath(found)).toBe(at('usr', 'bin', name));
    expect(await readFile(found, 'utf8')).toContain('exit 0');
  }
});

test('a path that has no servers stays as it is', async () => {
  const whole = [at('first'), at('second')].join(delimiter);
  expect(await withoutServers(whole, at('unused'))).toBe(whole);
});
