import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { waitUntilReady } from '../../../../src/redis/embedded/wait-until-ready.ts';

let root: string;
let socketPath: string;
let listener: Server | null;
const sockets = new Set<Socket>();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'smoothcert-test-'));
  socketPath = join(root, 'redis.sock');
  listener = null;
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  if (listener !== null) {
    listener.close();
    await once(listener, 'close');
  }
  await rm(root, { recursive: true, force: true });
});

/** Listens on the socket and gives the same answer to every command. */
async function answering(answer: () => string): Promise<void> {
  listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => socket.write(answer()));
  }).listen(socketPath);
  await once(listener, 'listening');
}

const never = new AbortController().signal;

test('a server that is loading is waited for longer than a silent one', async () => {
  // The clock goes on with every answer and stands still in between, however busy the machine is.
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const started = Date.now();
  let asked = 0;
  await answering(() => {
    asked += 1;
    vi.setSystemTime(Date.now() + 100);
    return asked < 12 ? '-LOADING Redis is loading the dataset in memory\r\n' : '+PONG\r\n';
  });
  expect(await waitUntilReady({ socketPath, silenceLimitMs: 150, signal: never })).toBe(true);
  expect(Date.now() - started).toBe(1_200);
});

test('a socket that is not there counts as silence', async () => {
  expect(await waitUntilReady({ socketPath, silenceLimitMs: 60, signal: never })).toBe(false);
});

test('an answer that is not PONG counts as silence', async () => {
  await answering(() => '+HELLO\r\n');
  expect(await waitUntilReady({ socketPath, silenceLimitMs: 60, signal: never })).toBe(false);
});

test('the signal ends the wait at once', async () => {
  const stop = new AbortController();
  const waiting = waitUntilReady({ socketPath, silenceLimitMs: 60_000, signal: stop.signal });
  stop.abort();
  expect(await waiting).toBe(false);
});
