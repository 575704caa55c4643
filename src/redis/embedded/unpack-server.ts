import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Launch } from '../../launch.ts';
import { runCommand } from '../../run-command.ts';
import { preparePrivateApt } from './private-apt.ts';
import { probeServer, type ServerProbe } from './server-version.ts';

/** The server needs its libraries, and those at most theirs. */
const DEPENDENCY_ROUNDS = 3;

/** Programs of this system, and the folders to work in. */
export interface Unpacking {
  readonly apt: string;
  readonly dpkgDeb: string;
  readonly dpkgQuery: string;
  readonly scratch: string;
  readonly tree: string;
  readonly launch: Launch;
}

/**
 * Downloads the server's package and the libraries that it lacks here into `scratch`, unpacks them into `tree`, and makes
 * `tree/redis-server` start the server with them. Answers what the server says when it is asked for its version.
 */
export async function unpackServer(unpacking: Unpacking): Promise<ServerProbe> {
  const { apt, dpkgDeb, dpkgQuery, scratch, tree, launch } = unpacking;
  const privateApt = await preparePrivateApt(apt, join(scratch, 'apt'), launch);
  const updated = await privateApt.update();
  if (!updated.ok) return { usable: false, reason: updated.fault };

  const root = join(tree, 'root');
  await mkdir(root, { recursive: true });
  const seen = new Set(['redis-tools']);
  let wanted = ['redis-tools'];
  let probe: ServerProbe = { usable: false, reason: 'the package redis-tools has no server' };
  for (let round = 0; round <= DEPENDENCY_ROUNDS && wanted.length > 0; round += 1) {
    const debs = join(scratch, `debs-${round}`);
    await mkdir(debs);
    const downloaded = await privateApt.download(wanted, debs);
    if (!downloaded.ok) return { usable: false, reason: downloaded.fault };
    const dependencies = new Set<string>();
    for (const file of await readdir(debs)) {
      const deb = join(debs, file);
      const extracted = await runCommand(dpkgDeb, ['-x', deb, root], { launch });
      if (!extracted.ok) return { usable: false, reason: extracted.fault };
      const fields = await runCommand(dpkgDeb, ['-f', deb, 'Depends'], { launch });
      for (const name of dependencyNames(fields.stdout)) dependencies.add(name);
    }
    await writeLauncher(tree);
    probe = await probeServer(join(tree, 'redis-server'), launch);
    if (probe.usable) return probe;
    // Libraries that are installed must stay the system's, above all libc: another one beside its dynamic loader crashes.
    wanted = [];
    for (const name of dependencies) {
      if (!seen.has(name) && !(await isInstalled(dpkgQuery, name, launch))) wanted.push(name);
    }
    for (const name of wanted) seen.add(name);
  }
  return probe;
}

async function isInstalled(dpkgQuery: string, name: string, launch: Launch): Promise<boolean> {
  const args = ['-W', '-f', '${db:Status-Status}\\n', name];
  const { ok, stdout } = await runCommand(dpkgQuery, args, { launch });
  return ok && stdout.split('\n').includes('installed');
}

/** Makes `tree/redis-server` start the unpacked server with the unpacked libraries. */
async function writeLauncher(tree: string): Promise<void> {
  const root = join(tree, 'root');
  const bin = join(root, 'usr', 'bin');
  const server = join(bin, 'redis-server');
  // Debian ships one binary for server and checkers, which looks at the name it is called by; the link that
  // gives it the server's name is in the package redis-server, which wants to be a system service.
  if (!existsSync(server)) await symlink('redis-check-rdb', server);
  const libraries = new Set<string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isDirectory() && entry.name.includes('.so')) libraries.add(relative(tree, entry.parentPath));
  }
  const launcher = join(tree, 'redis-server');
  const directories = [...libraries].map((directory) => directory.split(sep).join('/'));
  await writeFile(launcher, wrapperScript('root/usr/bin/redis-server', directories.toSorted()));
  await chmod(launcher, 0o755);
}

/**
 * The libraries in a Debian `Depends:` field: the first alternative of each, without version and architecture.
 * Everything else (adduser, init scripts, interpreters) is there for an installed service, which this is not.
 */
export function dependencyNames(depends: string): string[] {
  return depends
    .split(',')
    .map((alternatives) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(alternatives)?.[1] ?? '')
    .filter((name) => name.startsWith('lib') || name.startsWith('lua-'));
}

/**
 * A shell script that becomes `executable` with `libraryDirectories` (all relative to the script's own folder)
 * searched first for shared libraries.
 *
 * It ends in `exec`, so that the process started is the server itself: its pid can be watched and signalled. It finds
 * itself by `$0`, and must therefore be called by its absolute path.
 */
export function wrapperScript(executable: string, libraryDirectories: readonly string[]): string {
  const path = libraryDirectories.map((directory) => `$here/${directory}`).join(':');
  const lines = ['#!/bin/sh', 'here=${0%/*}'];
  if (path !== '') {
    lines.push(`LD_LIBRARY_PATH="${path}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`, 'export LD_LIBRARY_PATH');
  }
  lines.push(`exec "$here/${executable}" "$@"`, '');
  return lines.join('\n');
}
