import { chmodSync, mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { logLine } from '../../log-events.ts';
import { EmbeddedRedisError } from './embedded-redis-error.ts';
import type { EmbeddedRedisLogger } from './embedded-redis-logger.ts';
import { stopLeftoverServer } from './leftover-server.ts';
import {
  isOwnerAlive,
  otherClaims,
  removeClaim,
  thisProcess,
  writeClaim,
  type OwnerClaim,
} from './owner-claim.ts';
import type { ProcessIdentity } from './process-identity.ts';

export interface OwnerLock {
  /** Notes which server runs for this owner; must be called as soon as one is started. */
  recordServer(server: ProcessIdentity | null, socketPath: string): void;
  /** Gives the data directory free. Synchronous, so that it also works while the process exits; idempotent. */
  release(): void;
}

const heldHere = new Set<string>();
const ATTEMPTS = 20;

/**
 * Makes this process the only owner of a data directory (created if need be, 0700), or throws `redis_data_in_use`
 * with the pid of the owner.
 *
 * Two servers on one append-only file destroy it, so the rule is kept without ever deleting a live process's file:
 * each process writes a claim of its own name and then looks for others'. Of two that start together the later writer
 * is sure to see the earlier one's claim, so they cannot both find themselves alone; if each sees the other, both step
 * back for a random moment and try again. Claims of dead owners are taken over: a server left running by one is
 * stopped, and is gone when this returns.
 *
 * Owners are told apart by pid and start time, so they must share a process namespace: two containers must not share
 * a data directory.
 */
export async function acquireOwnerLock(
  dataDirectory: string,
  logger: EmbeddedRedisLogger,
): Promise<OwnerLock> {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  chmodSync(dataDirectory, 0o700);
  const owner = thisProcess();
  if (heldHere.has(dataDirectory)) throw inUse(dataDirectory, owner);
  heldHere.add(dataDirectory);
  try {
    const dead = await claimAlone(dataDirectory, owner);
    for (const claim of dead) {
      logger.warn(...logLine('embedded_redis_owner_killed', { owner: claim.owner, server: claim.server }));
      await stopLeftoverServer(claim, logger);
      removeClaim(dataDirectory, claim.owner);
    }
  } catch (error) {
    removeClaim(dataDirectory, owner);
    heldHere.delete(dataDirectory);
    throw error;
  }
  let released = false;
  return {
    recordServer(server, socketPath) {
      if (!released) writeClaim(dataDirectory, { owner, held: true, server, socketPath });
    },
    release() {
      if (released) return;
      released = true;
      removeClaim(dataDirectory, owner);
      heldHere.delete(dataDirectory);
    },
  };
}

/** Resolves, holding the directory, with the claims that dead owners left in it. */
async function claimAlone(dataDirectory: string, owner: ProcessIdentity): Promise<OwnerClaim[]> {
  let rival: OwnerClaim | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    writeClaim(dataDirectory, { owner, held: false, server: null, socketPath: null });
    const others = otherClaims(dataDirectory, owner);
    rival = others.find(isOwnerAlive);
    if (rival === undefined) {
      writeClaim(dataDirectory, { owner, held: true, server: null, socketPath: null });
      return others;
    }
    removeClaim(dataDirectory, owner);
    if (rival.held) break;
    await delay(5 + Math.random() * 45);
  }
  throw inUse(dataDirectory, rival!.owner);
}

function inUse(dataDirectory: string, owner: ProcessIdentity): EmbeddedRedisError {
  return new EmbeddedRedisError(
    'redis_data_in_use',
    `The data directory ${dataDirectory} is in use by process ${owner.pid}. ` +
      'Stop that process, or choose another data directory.',
  );
}
