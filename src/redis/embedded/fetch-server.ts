import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { findExecutable } from '../../find-executable.ts';
import { type Launch, launchAsItIs } from '../../launch.ts';
import { dependencyNames } from './package-dependencies.ts';
import { preparePrivateApt } from './private-apt.ts';
import { runCommand } from '../../run-command.ts';
import { probeServer, type ServerProbe } from './server-version.ts';
import { wrapperScript } from './wrapper-script.ts';

export type FetchResult =
  | { readonly fetched: true; readonly directory: string }
  | { readonly fetched: false; readonly reason: string };

const ABANDONED_AFTER_MS = 60 * 60 * 1000;
/** The server needs its libraries, and those at most theirs. */
const DEPENDENCY_ROUNDS = 3;

/**
 * Fetches a Redis server from the Debian (or Ubuntu) packages of this system's own sources, without root, into a new
 * folder `server-…` of `cache`. About 4 s on a busy machine and 11 MB of traffic; the result takes 7 MB.
 *
 * The folder appears by one rename after the server in it has answered `--version`, so that any number of processes
 * may fetch at once and a reader never sees half of one. Never throws for want of a network, of apt or of a package:
 * the reason comes back as a clause.
 */
export async function fetchServer(
  cache: string,
  searchPath: string,
  launch: Launch = launchAsItIs,
): Promise<FetchResult> {
  const apt = findExecutable(['apt-get'], searchPath);
  const dpkgDeb = findExecutable(['dpkg-deb'], searchPath);
  const dpkgQuery = findExecutable(['dpkg-query'], searchPath);
  if (apt === null || dpkgDeb === null || dpkgQuery === null)
    return { fetched: false, reason: 'this system has no apt-get to fetch one' };
  const cacheDirectory = resolve(cache);
  await mkdir(cacheDirectory, { recursive: true });
  await removeAbandoned(cacheDirectory);
  const scratch = await mkdtemp(join(cacheDirectory, '.fetch-'));
  try {
    const tree = join(scratch, 'server');
    const probe = await unpackServer({ apt, dpkgDeb, dpkgQuery, scratch, tree, launch });
    if (!probe.usable) return { fetched: false, reason: `fetching one failed: ${probe.reason}` };
    const name = `server-${probe.version}-${process.arch}`;
    return { fetched: true, directory: await publish(tree, join(cacheDirectory, name), launch) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Unpacking {
  readonly apt: string;
  readonly dpkgDeb: string;
  readonly dpkgQuery: string;
  readonly scratch: string;
  readonly tree: string;
  readonly launch: Launch;
}

async function unpackServer(unpacking: Unpacking): Promise<ServerProbe> {
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

async function publish(tree: string, target: string, launch: Launch): Promise<string> {
  try {
    await rename(tree, target);
    return target;
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
  // Another process was faster, or an older copy is there. It is taken if it runs here, and never replaced: someone
  // may be running from it.
  if ((await probeServer(join(target, 'redis-server'), launch)).usable) return target;
  const fresh = await mkdtemp(`${target}-`);
  await rename(tree, fresh);
  return fresh;
}

/** What a killed fetch left behind. */
async function removeAbandoned(cacheDirectory: string): Promise<void> {
  for (const name of await readdir(cacheDirectory)) {
    if (!name.startsWith('.fetch-')) continue;
    const path = join(cacheDirectory, name);
    const modified = await stat(path).then(
      (status) => status.mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (Date.now() - modified > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}
