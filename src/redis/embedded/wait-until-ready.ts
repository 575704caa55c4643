import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

export interface ReadinessOptions {
  readonly socketPath: string;
  /** How long the server may stay silent. While it answers that it is loading its data, the wait goes on. */
  readonly silenceLimitMs: number;
  /** Ends the wait early, for example because the server has died. */
  readonly signal: AbortSignal;
}

/** Resolves with true when the server answers PING with PONG; with false when it stays silent or the signal comes. */
export async function waitUntilReady(options: ReadinessOptions): Promise<boolean> {
  let silentSince = Date.now();
  while (!options.signal.aborted && Date.now() - silentSince < options.silenceLimitMs) {
    const answer = await ping(options.socketPath);
    if (answer === 'ready') return true;
    if (answer === 'loading') silentSince = Date.now();
    await delay(answer === 'loading' ? 50 : 10, undefined, { signal: options.signal }).catch(() => {});
  }
  return false;
}

async function ping(socketPath: string): Promise<'ready' | 'loading' | 'silent'> {
  const client = new Redis({
    path: socketPath,
    lazyConnect: true,
    enableReadyCheck: false,
    // Without HELLO, so that the first answer is that to PING.
    protocol: 2,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
  });
  // Without a listener a refused connection would be reported on the console.
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG' ? 'ready' : 'silent';
  } catch (error) {
    return error instanceof Error && error.message.startsWith('LOADING') ? 'loading' : 'silent';
  } finally {
    // On a connection that never came up this would start a timer that keeps the process alive for 2 s.
    if (client.status !== 'end') client.disconnect();
  }
}
