import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** New append-only files that are not whole yet, as the server names them, and the trials of `why-unwritable.ts`. */
const DRAFTS = /^(temp-rewriteaof-(bg-)?\d+\.aof|room-\d+)$/;

/**
 * Removes what processes that were killed leave: the server's socket, on which the next one could not listen, and
 * drafts, which take the room of all data and which no server would ever remove. Only for whoever owns the data
 * directory.
 */
export function removeLeavings(dataDirectory: string, socketPath: string): void {
  rmSync(socketPath, { force: true });
  for (const name of readdirSync(dataDirectory)) {
    if (DRAFTS.test(name)) rmSync(join(dataDirectory, name), { force: true });
  }
}
