import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { beforeAll } from 'vitest';
import { findExecutable } from '../../src/find-executable.ts';
import { useTemporaryDirectory } from './temporary-directory.ts';

const SYSTEM_PATH = process.env['PATH'] ?? '';
const SERVERS = ['redis-server', 'valkey-server'];

/**
 * `searchPath` (written like PATH) without its Redis and Valkey servers, and with every other program: Debian puts the server
 * into /usr/bin, beside what starts and fetches one. A folder that holds a server is replaced by a new one under `directory`,
 * with links to all that it holds but the servers.
 */
export async function withoutServers(searchPath: string, directory: string): Promise<string> {
  const folders: string[] = [];
  for (const folder of searchPath.split(delimiter).filter((each) => isAbsolute(each))) {
    if (SERVERS.every((name) => !existsSync(join(folder, name)))) {
      folders.push(folder);
      continue;
    }
    const replacement = join(directory, String(folders.length));
    await mkdir(replacement, { recursive: true });
    const others = (await readdir(folder)).filter((name) => !SERVERS.includes(name));
    await Promise.all(others.map((name) => symlink(join(folder, name), join(replacement, name))));
    folders.push(replacement);
  }
  return folders.join(delimiter);
}

/** Gives the enclosing suite this machine's PATH without Redis and Valkey servers. */
export function usePathWithoutRedis(): () => string {
  const at = useTemporaryDirectory();
  let path: string | undefined;
  beforeAll(async () => {
    path = await withoutServers(SYSTEM_PATH, at());
  });
  return () => {
    if (path === undefined) throw new Error('the path exists only while the tests run');
    return path;
  };
}

/** Whether this machine can fetch a server from packages. */
export const HAS_APT = ['apt-get', 'dpkg-deb', 'dpkg-query'].every(
  (name) => findExecutable([name], SYSTEM_PATH) !== null,
);

/** Puts an executable shell script of that name into the folder, which is made if need be. */
export async function writeProgram(directory: string, name: string, body: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}
