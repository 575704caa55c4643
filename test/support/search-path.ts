import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

const SYSTEM_PATH = process.env['PATH'] ?? '';

/** This machine's PATH without the folders that hold a Redis or Valkey server. */
export function pathWithoutRedis(): string {
  const holdsServer = (directory: string): boolean =>
    ['redis-server', 'valkey-server'].some((name) => existsSync(join(directory, name)));
  return SYSTEM_PATH.split(delimiter)
    .filter((directory) => !holdsServer(directory))
    .join(delimiter);
}

/** Whether this machine can fetch a server from packages. */
export const HAS_APT = SYSTEM_PATH.split(delimiter).some((directory) =>
  existsSync(join(directory, 'apt-get')),
);

/** Puts an executable shell script of that name into the folder, which is made if need be. */
export async function writeProgram(directory: string, name: string, body: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}
