import type { FastifyInstance } from 'fastify';
import { DomainError } from '../errors.ts';

/** Bytes up to which a request is always read: thousands of them fit beside the large ones. */
const SMALL = 1024 * 1024;
/** Requests of the greatest size that may be under way at once. Each is held in a few copies until it is stored. */
const LARGE_AT_ONCE = 4;

/**
 * Bounds the memory that requests take: the stated sizes of all large ones under way may come to four times the size that one
 * may have. What does not fit is answered with `server_busy` before a byte of it is read; small requests pass.
 */
export function installBodyBudget(app: FastifyInstance, maxBodyBytes: number): void {
  let held = 0;
  app.addHook('onRequest', async ({ headers }, reply) => {
    const { 'content-length': length, 'transfer-encoding': encoding } = headers;
    const size = encoding === undefined ? Number(length ?? 0) : maxBodyBytes;
    // One that is too large is refused by its length, wherever it is read.
    if (size <= SMALL || size > maxBodyBytes) return;
    if (held + size > LARGE_AT_ONCE * maxBodyBytes) {
      throw new DomainError('server_busy', `large requests of ${held} bytes are under way; try again soon`);
    }
    held += size;
    // Comes once for every request, whether it was answered or its client went away.
    reply.raw.once('close', () => (held -= size));
  });
}
