import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess, isRunning, type ProcessIdentity } from './process-identity.ts';

/** What a claim file says. */
export interface OwnerClaim {
  readonly owner: ProcessIdentity;
  /** False while its writer is still looking whether it is alone. */
  readonly held: boolean;
  /** The server that the owner runs, so that the next owner can stop it should this one be killed. */
  readonly server: ProcessIdentity | null;
  readonly socketPath: string | null;
}

const CLAIM_NAME = /^owner-\d+-\d+\.lock$/;

export function claimPath(dataDirectory: string, owner: ProcessIdentity): string {
  return join(dataDirectory, `owner-${owner.pid}-${owner.startTime}.lock`);
}

/** Writes the claim so that a reader sees the old one or the new one, whole. */
export function writeClaim(dataDirectory: string, claim: OwnerClaim): void {
  const path = claimPath(dataDirectory, claim.owner);
  const draft = `${path}.draft`;
  writeFileSync(draft, `${JSON.stringify(claim)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

export function removeClaim(dataDirectory: string, owner: ProcessIdentity): void {
  const path = claimPath(dataDirectory, owner);
  rmSync(`${path}.draft`, { force: true });
  rmSync(path, { force: true });
}

/** Every claim on the data directory but that of `except`, whether its owner lives or not. */
export function otherClaims(dataDirectory: string, except: ProcessIdentity): OwnerClaim[] {
  const claims: OwnerClaim[] = [];
  for (const name of readdirSync(dataDirectory)) {
    if (!CLAIM_NAME.test(name)) continue;
    const claim = readClaim(join(dataDirectory, name));
    if (claim === null) continue;
    if (claim.owner.pid !== except.pid || claim.owner.startTime !== except.startTime) claims.push(claim);
  }
  return claims;
}

export function isOwnerAlive(claim: OwnerClaim): boolean {
  return isRunning(claim.owner);
}

/** This process, as it would stand in a claim. */
export function thisProcess(): ProcessIdentity {
  return identifyProcess(process.pid) ?? { pid: process.pid, startTime: 0 };
}

/** Null for a claim withdrawn since it was listed. A file that is no claim is an error: it may protect someone's data. */
function readClaim(path: string): OwnerClaim | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return parseClaim(text, path);
}

/** Reads the text of a claim file; `path` is for the message when it is not one. */
export function parseClaim(text: string, path: string): OwnerClaim {
  try {
    const { owner, held, server, socketPath } = JSON.parse(text) as Partial<OwnerClaim>;
    if (isIdentity(owner) && typeof held === 'boolean') {
      return {
        owner,
        held,
        server: isIdentity(server) ? server : null,
        socketPath: typeof socketPath === 'string' ? socketPath : null,
      };
    }
  } catch {
    // Told below, like every other text that is no claim.
  }
  throw new Error(`${path} is not an owner's claim; if no server uses this data directory, delete the file`);
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startTime } = value as Partial<ProcessIdentity>;
  return Number.isSafeInteger(pid) && (pid ?? 0) > 0 && Number.isSafeInteger(startTime);
}
