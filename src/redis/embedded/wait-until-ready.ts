import { setTimeout as delay } from 'node:timers/promises';
import { askServer } from './ask-server.ts';

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
  try {
    return (await askServer(socketPath, (client) => client.ping())) === 'PONG' ? 'ready' : 'silent';
  } catch (error) {
    return error instanceof Error && error.message.startsWith('LOADING') ? 'loading' : 'silent';
  }
}
