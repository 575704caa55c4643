import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Launch } from '../../launch.ts';
import { runCommand, type CommandResult } from '../../run-command.ts';

export interface PrivateApt {
  /** Fetches the package lists of the system's sources. */
  update(): Promise<CommandResult>;
  /** Downloads the named packages, as `.deb` files, into `directory`. */
  download(packages: readonly string[], directory: string): Promise<CommandResult>;
}

/**
 * An apt that keeps its state and cache under `directory` and needs no privilege.
 *
 * Sources, trusted keys, proxies and certificates stay those of the system, so signatures are checked as always;
 * only what apt writes goes elsewhere. Nothing is installed, and the system's own lists are neither read nor touched.
 */
export async function preparePrivateApt(
  executable: string,
  directory: string,
  launch: Launch,
): Promise<PrivateApt> {
  const lists = join(directory, 'lists');
  const cache = join(directory, 'cache');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  const settings = [
    `Dir::State=${directory}`,
    `Dir::State::lists=${lists}`,
    `Dir::Cache=${cache}`,
    `Dir::Cache::archives=${join(cache, 'archives')}`,
    `Dir::Log=${join(directory, 'log')}`,
    // Started as root, apt would drop to the user _apt, who cannot write into a folder of ours.
    'APT::Sandbox::User=root',
    // Kept compressed and without translations and component metadata, the lists take 19 MB instead of 70 MB.
    'Acquire::GzipIndexes=true',
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'Acquire::Retries=2',
    'Acquire::http::Timeout=20',
    'Acquire::https::Timeout=20',
    // A half-updated set of lists exits with success unless this is set.
    'APT::Update::Error-Mode=any',
  ].flatMap((setting) => ['-o', setting]);
  return {
    update: () => runCommand(executable, [...settings, '-qq', 'update'], { timeoutMs: 180_000, launch }),
    download: (packages, target) =>
      runCommand(executable, [...settings, '-qq', 'download', ...packages], {
        directory: target,
        timeoutMs: 180_000,
        launch,
      }),
  };
}
