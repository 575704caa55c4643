import { Redis } from 'ioredis';

/** Asks the server on a socket over a connection of its own. Rejects where it does not answer within a second or two. */
export async function askServer<Answer>(
  socketPath: string,
  question: (client: Redis) => Promise<Answer>,
): Promise<Answer> {
  const client = new Redis({
    path: socketPath,
    lazyConnect: true,
    enableReadyCheck: false,
    // Without HELLO, so that the first answer is that to the question.
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
    return await question(client);
  } finally {
    // On a connection that never came up this would start a timer that keeps the process alive for 2 s.
    if (client.status !== 'end') client.disconnect();
  }
}
