import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEntryStore } from '../../src/jobs/entries.ts';
import { createJobStore } from '../../src/jobs/job-store.ts';
import { createSamplingStore } from '../../src/jobs/sampling-store.ts';
import { greyPng, startTestApi, type TestApi } from '../support/api.ts';
import { ref } from '../support/create-job.ts';
import { pngChunk, riffChunk, webpCanvas, webpFile, webpImage } from '../support/image-bytes.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { type SlowProxy, startSlowProxy } from '../support/slow-proxy.ts';

// Through a slow way to Redis: what takes long here is what a slow disk or network makes of a large request.

const MEBIBYTE = 1024 * 1024;
const REQUEST = JSON.stringify({ model: 'mnist-cnn', parameters: { sigma: 0.5 } });

let redis: TestRedis;
let proxy: SlowProxy;
let api: TestApi;
let png: Buffer;

beforeAll(async () => {
  redis = await startTestRedis();
  proxy = await startSlowProxy(redis.socketPath, 3 * MEBIBYTE);
  api = await startTestApi(proxy.url, { maxBodyBytes: 64 * MEBIBYTE });
  png = await greyPng();
});
afterAll(async () => {
  await api?.close();
  await proxy?.close();
  await redis?.close();
});

/** A PNG of 28 x 28 with so much text in it. */
function heavyPng(bytes: number, letter = 'a'): Buffer {
  return Buffer.concat([
    png.subarray(0, 33),
    pngChunk(['tEXt', Buffer.alloc(bytes, letter)]),
    png.subarray(33),
  ]);
}

const submit = (...images: readonly Buffer[]) => {
  const form = api.http.post('/v1/certifications').field('request', REQUEST);
  return images.reduce((sent, image, index) => sent.attach('image', image, `${index}.png`), form);
};

const jobs = () => createJobStore(api.redis, api.keys, 60, Date.now);

test('a request of 20 MiB is accepted, and none beside it waits for its bytes', async () => {
  const image = heavyPng(20 * MEBIBYTE);
  const ended = new AbortController();
  const large = submit(image).then((answer) => {
    ended.abort();
    return answer;
  });
  let beside = 0;
  while (!ended.signal.aborted) {
    const { status, body } = await submit(png);
    // A busy machine refuses one now and then; behind the large one all would be refused.
    expect([202, 503], JSON.stringify(body)).toContain(status);
    if (status === 202 && !ended.signal.aborted) beside += 1;
  }
  const { status, body } = await large;
  expect(status, JSON.stringify(body)).toBe(202);
  expect(beside).toBeGreaterThan(3);
  const { id } = body as { id: string };
  const [entry] = await createEntryStore(api.redis, api.keys).read(ref(id), 0, 1);
  const [kept] = await createSamplingStore(api.redis, api.keys).inputBytes(ref(id), [entry!.digest], 1);
  expect(image.equals(kept!)).toBe(true);
  // Claimed: bytes that expire would lose the job.
  expect(await api.redis.pttl(api.keys.inputs(ref(id)))).toBe(-1);
  expect(await api.redis.pttl(api.keys.entries(ref(id)))).toBe(-1);
});

test('of a request that takes too long nothing is left but bytes that expire', async () => {
  const before = await jobs().active();
  const way = await startSlowProxy(redis.socketPath, MEBIBYTE);
  const slow = await startTestApi(way.url, { maxBodyBytes: 64 * MEBIBYTE });
  try {
    const images = Array.from({ length: 10 }, (_, index) => heavyPng(MEBIBYTE, String(index)));
    const form = slow.http.post('/v1/certifications').field('request', REQUEST);
    const { status, body, headers } = await images.reduce(
      (sent, image, index) => sent.attach('image', image, `${index}.png`),
      form,
    );
    expect(status).toBe(503);
    expect(body).toMatchObject({ code: 'queue_unavailable' });
    expect(headers['retry-after']).toMatch(/^[1-9]/);
    const { body: listed } = await slow.http.get('/v1/certifications').expect(200);
    expect(listed).toMatchObject({ data: [] });
    const keys = await slow.redis.keys(slow.keys.job(ref('*')));
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      expect(key).toMatch(/:(inputs|entries)$/);
      expect(await slow.redis.pttl(key)).toBeGreaterThan(0);
    }
  } finally {
    await slow.close();
    await way.close();
  }
  expect(await jobs().active()).toEqual(before);
});

test('animated files of 60,000 frames are refused at once, four of them together, and hold up nothing beside them', async () => {
  const still = webpImage(await sharp(png).webp({ lossless: true }).toBuffer());
  const frame = Buffer.concat([Buffer.alloc(16), riffChunk(still)]);
  const frames = Array.from({ length: 60_000 }, () => ['ANMF', frame] as const);
  const animated = webpFile([webpCanvas(0x02, 28, 28), ['ANIM', new Uint8Array(6)], ...frames]);
  expect(animated.length).toBeGreaterThan(2.6e6);
  const four = Array.from({ length: 4 }, () => submit(animated));
  const beside = submit(png);
  for (const { status, body } of await Promise.all(four)) {
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ detail: 'the image is animated; send one frame' }] });
  }
  expect((await beside).status).toBe(202);
});

test('20 MiB of zeros are refused by their first bytes, and none of them reach Redis', async () => {
  const received = async (): Promise<number> =>
    Number(/total_net_input_bytes:(\d+)/.exec(await api.redis.info('stats'))![1]);
  const before = await received();
  const { body } = await submit(Buffer.alloc(20 * MEBIBYTE)).expect(422);
  expect(body).toMatchObject({
    errors: [{ pointer: '/image/0', detail: 'the image is zeros; send a PNG, JPEG or WebP file' }],
  });
  expect((await received()) - before).toBeLessThan(MEBIBYTE);
});
