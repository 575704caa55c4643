import type { Hash } from 'node:crypto';

/** The value of `Repr-Digest` (RFC 9530) for a SHA-256 that has been given all the content. */
export function reprDigest(sha256: Hash): string {
  return `sha-256=:${sha256.digest('base64')}:`;
}
