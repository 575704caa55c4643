import { runCommand } from '../../run-command.ts';
import { type Launch, launchAsItIs } from '../../launch.ts';
import { isTooOld, OLDEST_SERVER } from '../oldest-server.ts';

/** The version in the answer of `redis-server --version` or `valkey-server --version`, or null. */
export function parseServerVersion(output: string): string | null {
  return /\bserver v=(\d+\.\d+\.\d+)/i.exec(output)?.[1] ?? null;
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
  if (isTooOld(version)) return { usable: false, reason: `is ${version}, older than ${OLDEST_SERVER}` };
  return { usable: true, version };
}
