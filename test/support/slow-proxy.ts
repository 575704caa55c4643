import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';

export interface SlowProxy {
  /** `redis://…` */
  readonly url: string;
  close(): Promise<void>;
}

/** A way to a Redis server's socket on which each connection carries so many bytes a second towards the server. */
export async function startSlowProxy(socketPath: string, bytesASecond: number): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(socketPath);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    const slowly = async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        await pause((1000 * chunk.length) / bytesASecond);
        yield chunk;
      }
    };
    pipeline(client, slowly, upstream).catch(() => undefined);
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
