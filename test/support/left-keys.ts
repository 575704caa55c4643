import { Redis } from 'ioredis';
import { hasEnded, type StoredStatus } from '../../src/contract/status.ts';

/**
 * Keys that nobody will ever delete: those of jobs that have ended, whatever killed whom on the way, without a time at which
 * they expire. BullMQ's are its own, which keeps those of failed jobs for a day.
 */
export async function leftKeys(socketPath: string): Promise<string[]> {
  const client = new Redis({ path: socketPath, lazyConnect: true, retryStrategy: null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const keys = await client.keys('*:*:job:*');
    const left: string[] = [];
    for (const record of keys.filter((key) => /^[^:]+:[^:]+:job:[^:]+$/.test(key))) {
      const status = (await client.hget(record, 'status')) as StoredStatus | null;
      if (status === null || !hasEnded(status)) continue;
      for (const key of keys.filter((each) => each === record || each.startsWith(`${record}:`)))
        if ((await client.pttl(key)) === -1) left.push(`${key} of a job that is ${status}`);
    }
    return left;
  } finally {
    client.disconnect();
  }
}
