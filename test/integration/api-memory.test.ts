import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certification, greyPng, MODELS, startTestApi } from '../support/api.ts';
import { memoryOf, peakOf, PROBED } from '../support/memory-probe.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { startProcess } from '../support/service.ts';
import { until } from '../support/until.ts';

const MEBIBYTE = 1024 * 1024;

let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis?.close();
});

type Body = readonly [type: string, bytes: Buffer];

function form(parts: readonly (readonly [name: string, file: string | null, bytes: Buffer])[]): Body {
  const pieces = parts.flatMap(([name, file, bytes]) => {
    const disposition = `name="${name}"${file === null ? '' : `; filename="${file}"`}`;
    return [
      Buffer.from(`--edge\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n`),
      bytes,
      Buffer.from('\r\n'),
    ];
  });
  return ['multipart/form-data; boundary=edge', Buffer.concat([...pieces, Buffer.from('--edge--\r\n')])];
}

/** A malformed request of each kind that was seen to cost memory; `index` varies their sizes. */
function malformed(png: Buffer, index: number): Body {
  const json = (text: string): Body => ['application/json', Buffer.from(text)];
  const part = ['request', null, Buffer.from('{"model":"mnist-cnn","parameters":{"sigma":0.5}}')] as const;
  const image = (bytes: Buffer): Body => form([part, ['image', 'a.png', bytes]]);
  const kinds: readonly (() => Body)[] = [
    () => json(`{"model": ${'x'.repeat(index)}`),
    () => json('['.repeat(40 * index)),
    () => json(JSON.stringify({ ...certification(), inputs: Array.from({ length: index }, () => 7) })),
    () =>
      json(JSON.stringify(Object.fromEntries(Array.from({ length: index }, (_, key) => [`k${key}`, key])))),
    () => json(JSON.stringify(certification([{ image: 'A'.repeat(400 * index) }]))),
    () => image(png.subarray(0, index % png.length)),
    () => image(Buffer.alloc(300 * index)),
    () => form(Array.from({ length: index }, (_, file) => ['image', `${file}.png`, png] as const)),
    () => ['multipart/form-data; boundary=none', Buffer.alloc(20 * index, 'garbage')],
    () => ['text/plain', Buffer.from('x')],
  ];
  // Now and then one of the greatest size.
  if (index % 150 === 0) return image(Buffer.alloc(20 * MEBIBYTE));
  if (index % 150 === 75) return json(JSON.stringify(certification([{ image: 'A'.repeat(28 * MEBIBYTE) }])));
  return kinds[index % kinds.length]!();
}

test('thousands of malformed requests leave nothing in the heap, and a bounded process', async () => {
  const png = await greyPng(7);
  const api = startProcess('api', {
    REDIS_URL: redis.url,
    SMOOTHCERT_PORT: '0',
    SMOOTHCERT_MODELS_DIR: MODELS,
    NODE_OPTIONS: PROBED,
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  try {
    const { port } = new URL(String((await api.logged('api_listening'))['url']));
    const send = ([type, bytes]: Body): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { 'content-type': type, 'content-length': bytes.length };
        const sent = request({
          host: '127.0.0.1',
          port,
          path: '/v1/certifications',
          method: 'POST',
          agent,
          headers,
        });
        sent.on('response', (response) => {
          response.resume();
          response.on('close', () => resolve(response.statusCode!));
        });
        // A body that is refused while it is sent may end with a connection that is reset.
        sent.on('error', (error: NodeJS.ErrnoException) =>
          error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve(0) : reject(error),
        );
        sent.end(bytes);
      });
    const statuses = new Set<number>();
    const round = async (first: number, count: number): Promise<void> => {
      let next = first;
      const one = async (): Promise<void> => {
        while (next < first + count) statuses.add(await send(malformed(png, (next += 1))));
      };
      await Promise.all(Array.from({ length: 12 }, one));
    };
    await round(0, 400);
    const warm = await memoryOf(api);
    await round(400, 400);
    await round(0, 400);
    const after = await memoryOf(api);
    expect([...statuses].filter((status) => status >= 500 && status !== 503)).toEqual([]);
    expect(statuses).toContain(422);
    // The heap that lives is the program's own: about 30 MiB.
    expect(after.heapUsed).toBeLessThan(64 * MEBIBYTE);
    expect(after.heapUsed - warm.heapUsed).toBeLessThan(8 * MEBIBYTE);
    expect(after.external).toBeLessThan(32 * MEBIBYTE);
    // What the allocator keeps for the next request, and what the largest under way took.
    expect(after.rss).toBeLessThan(400 * MEBIBYTE);
    expect(peakOf(api)).toBeLessThan(640 * MEBIBYTE);
  } finally {
    agent.destroy();
    await api.end();
  }
});

describe('large requests at once', () => {
  test('are four of the greatest size; one more is told to come back, and small ones pass', async () => {
    const api = await startTestApi(redis.url, { maxBodyBytes: 2 * MEBIBYTE });
    const { port } = api.server.address() as AddressInfo;
    const agent = new Agent();
    const head = (length: number) => {
      const headers = { 'content-type': 'application/json', 'content-length': length };
      const target = { host: '127.0.0.1', port, path: '/v1/certifications', method: 'POST' };
      return request({ ...target, agent, headers }).on('error', () => undefined);
    };
    /** A request whose head says 2 MiB, and of which nothing more comes. */
    const open = () => {
      const sent = head(2 * MEBIBYTE);
      sent.flushHeaders();
      return sent;
    };
    const large = (): Promise<{ status: number; body: string; retryAfter: string | undefined }> =>
      new Promise((resolve, reject) => {
        const body = Buffer.from(JSON.stringify({ extra: 'x'.repeat(2 * MEBIBYTE - 2_000) }));
        const sent = head(body.length).on('error', reject);
        sent.on('response', (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('end', () =>
            resolve({
              status: response.statusCode!,
              body: Buffer.concat(parts).toString(),
              retryAfter: response.headers['retry-after'],
            }),
          );
        });
        sent.end(body);
      });
    const held = [open(), open(), open(), open()];
    try {
      const busy = await until(
        async () => {
          const answer = await large();
          return answer.status === 503 ? answer : null;
        },
        { what: 'a server that is busy' },
      );
      expect(JSON.parse(busy.body)).toMatchObject({ code: 'server_busy' });
      expect(busy.retryAfter).toMatch(/^[1-9]/);
      await api.http.post('/v1/certifications').send(certification()).expect(202);
      held[0]!.destroy();
      await until(async () => (await large()).status === 422, { what: 'room for a large request' });
    } finally {
      for (const each of held) each.destroy();
      agent.destroy();
      await api.close();
    }
  });
});
