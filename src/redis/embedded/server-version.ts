import { runCommand } from '../../run-command.ts';
import { type Launch, launchAsItIs } from '../../launch.ts';

/** BullMQ asks for 6.2: older servers lack commands that its scripts use. */
export const MINIMUM_SERVER_VERSION = '6.2.0';

/** The version in the answer of `redis-server --version` or `valkey-server --version`, or null. */
export function parseServerVersion(output: string): string | null {
  return /\bserver v=(\d+\.\d+\.\d+)/i.exec(output)?.[1] ?? null;
}

/** Whether a `major.minor.patch` version is one that the service can run on. */
export function isSupportedServerVersion(version: string): boolean {
  const minimum = MINIMUM_SERVER_VERSION.split('.').map(Number);
  const parts = version.split('.').map(Number);
  for (const [index, wanted] of minimum.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

export type ServerProbe =
  { readonly usable: true; readonly version: string } | { readonly usable: false; readonly reason: string };

/**
 * Runs `executable --version`. Usable means: it starts on this machine, is a Redis or Valkey server, and is new
 * enough. The reason is a clause that can follow the executable's path in a message.
 */
export async function probeServer(executable: string, launch: Launch = launchAsItIs): Promise<ServerProbe> {
  const result = await runCommand(executable, ['--version'], { timeoutMs: 10_000, launch });
  if (!result.ok) return { usable: false, reason: `does not run (${result.fault})` };
  const version = parseServerVersion(result.stdout);
  if (version === null) return { usable: false, reason: 'does not state a server version' };
  if (!isSupportedServerVersion(version)) {
    return { usable: false, reason: `is ${version}, older than ${MINIMUM_SERVER_VERSION}` };
  }
  return { usable: true, version };
}
