import { beforeAll, describe, expect, test } from 'vitest';
import { createEntryStore } from '../../src/jobs/entries.ts';
import { undecodablePng } from '../support/image-bytes.ts';
import { greyPng, useTestApi } from '../support/api.ts';
import { ref } from '../support/create-job.ts';

const api = useTestApi({ maxInputs: 3, maxBodyBytes: 64 * 1024 });
let png: Buffer;

beforeAll(async () => {
  png = await greyPng();
});

interface Fault {
  readonly pointer: string;
  readonly detail: string;
}

const REQUEST = { model: 'mnist-cnn', parameters: { sigma: 0.5 } };
const form = (path = '/v1/certifications') => api.http.post(path);
/** A form with the JSON part; files are added by the caller. */
const withRequest = (request: object, path?: string) => form(path).field('request', JSON.stringify(request));

function faultsOf(body: unknown): string[] {
  const { code, errors } = body as { code: string; errors: readonly Fault[] };
  expect(code).toBe('validation_failed');
  return errors.map(({ pointer, detail }) => `${pointer} ${detail}`).sort();
}

async function stored(id: string): Promise<{ id: string; label: number | null }[]> {
  const entries = await createEntryStore(api.redis, api.keys).read(ref(id), 0, 3);
  return entries.flatMap((entry) => (entry === null ? [] : [{ id: entry.id, label: entry.label }]));
}

describe('a form', () => {
  test('with files and labels is accepted; each file name is an input id', async () => {
    const response = await withRequest({ ...REQUEST, labels: { 'seven.png': 7 } })
      .attach('image', png, 'seven.png')
      .attach('image', png, 'unknown.png')
      .expect(202);
    const { id } = response.body as { id: string };
    expect(response.headers['location']).toBe(`/v1/certifications/${id}`);
    expect(response.body).toMatchObject({
      status: 'queued',
      progress: { inputsTotal: 2 },
      summary: { correct: 0 },
    });
    expect(await stored(id)).toEqual([
      { id: 'seven.png', label: 7 },
      { id: 'unknown.png', label: null },
    ]);
  });

  test('may mark its JSON part as JSON, send it as a file, or send it last', async () => {
    const text = JSON.stringify(REQUEST);
    const typed = { contentType: 'application/json' };
    await form().field('request', text, typed).attach('image', png, 'a.png').expect(202);
    await form()
      .attach('request', Buffer.from(text), { filename: 'request.json', ...typed })
      .attach('image', png, 'a.png')
      .expect(202);
    await form().attach('image', png, 'a.png').field('request', text).expect(202);
  });

  test('submits predictions as well', async () => {
    const { body } = await withRequest(REQUEST, '/v1/predictions').attach('image', png, 'a.png').expect(202);
    expect(body).toMatchObject({ object: 'prediction', parameters: { n: 1_000 } });
  });

  test('with an image whose compressed data are damaged is accepted, since that input fails alone', async () => {
    await withRequest(REQUEST).attach('image', undecodablePng(), 'a.png').expect(202);
  });

  test('takes file names that are names of object members for what they are', async () => {
    const { body } = await withRequest(REQUEST)
      .attach('image', png, 'constructor')
      .attach('image', png, 'toString')
      .expect(202);
    expect(await stored((body as { id: string }).id)).toEqual([
      { id: 'constructor', label: null },
      { id: 'toString', label: null },
    ]);
  });
});

describe('faults of a form', () => {
  test('include files that are no image that is read, by their first bytes', async () => {
    const { body } = await withRequest(REQUEST)
      .attach('image', Buffer.from('no image'), 'a.png')
      .attach('image', Buffer.alloc(0), 'empty.png')
      .attach('image', Buffer.alloc(5_000), 'zeros.png')
      .expect(422);
    expect(faultsOf(body)).toEqual([
      '/image/0 the image is text; send a PNG, JPEG or WebP file',
      '/image/1 the image is empty; send a PNG, JPEG or WebP file',
      '/image/2 the image is zeros; send a PNG, JPEG or WebP file',
    ]);
  });

  test('are all reported at once, each with its place in the form', async () => {
    const request = { parameters: { sigma: '1', sigam: 1 }, labels: { 'a.png': -1 }, inputs: [] };
    const { body } = await withRequest(request).field('modle', 'mnist-cnn').expect(422);
    expect(faultsOf(body)).toEqual([
      '/image is required: at least one file',
      '/modle is not a known part; send "request" and "image" files',
      '/request/inputs is not a known field',
      '/request/labels/a.png must be at least 0',
      '/request/model is required',
      '/request/parameters/sigam is not a known field',
      '/request/parameters/sigma must be a number',
    ]);
  });

  test('include a missing JSON part', async () => {
    const { body } = await form().attach('image', png, 'a.png').expect(422);
    expect(faultsOf(body)).toEqual([
      '/request is required: a part named "request" with model and parameters as JSON',
    ]);
  });

  test('include a JSON part that is sent twice, or is no object', async () => {
    const twice = await withRequest(REQUEST)
      .field('request', JSON.stringify(REQUEST))
      .attach('image', png, 'a.png')
      .expect(422);
    expect(faultsOf(twice.body)).toEqual(['/request must be sent once']);
    const list = await withRequest([]).attach('image', png, 'a.png').expect(422);
    expect(faultsOf(list.body)).toEqual(['/request must be an object']);
  });

  test.each([undefined, 'application/json'])(
    'include a JSON part that is no JSON (type %s): 400',
    async (contentType) => {
      const options = contentType === undefined ? {} : { contentType };
      const { body } = await form()
        .field('request', '{"model":', options)
        .attach('image', png, 'a.png')
        .expect(400);
      expect(body).toMatchObject({
        code: 'malformed_request',
        detail: expect.stringMatching(/JSON/) as string,
      });
    },
  );

  test('of its contents point at the file or the label, all at once', async () => {
    const request = { ...REQUEST, model: 'mnist-cnn', labels: { 'a.png': 10, 'no/such~file': 1 } };
    const { body } = await withRequest(request).attach('image', png, 'a.png').expect(422);
    expect(faultsOf(body)).toEqual(['/request/labels/no~1such~0file names no file of the request']);
    const large = await greyPng(0, 32);
    const second = await withRequest({ ...REQUEST, labels: { 'a.png': 10 } })
      .attach('image', png, 'a.png')
      .attach('image', png, 'a.png')
      .attach('image', large, 'large.png')
      .expect(422);
    expect(faultsOf(second.body)).toEqual([
      '/image/1 "a.png" already names an earlier input',
      '/image/2 the image is 32 x 32 pixels (width x height); the model takes 28 x 28',
      '/request/labels/a.png must be a class number below 10',
      '/request/labels/a.png must be a class number below 10',
    ]);
  });

  test('of model and parameters point into the JSON part', async () => {
    const unknown = await withRequest({ model: 'minst', parameters: { sigma: 0.5, n: 1 } })
      .attach('image', png, 'a.png')
      .expect(422);
    expect(faultsOf(unknown.body)).toEqual([
      '/request/model there is no model "minst"; there are: fashion-mnist-cnn, fashion-mnist-tensorflow, mnist-cnn',
      '/request/parameters/n n = 1 samples cannot certify at alpha = 0.001: at least 10 are needed',
    ]);
    const hopeless = await withRequest({ model: 'mnist-cnn', parameters: { sigma: 0.5, n: 1 } })
      .attach('image', png, 'a.png')
      .expect(422);
    expect(hopeless.body).toMatchObject({
      code: 'cannot_certify',
      errors: [{ pointer: '/request/parameters/n' }],
    });
  });

  test('include an image without a file name', async () => {
    const { body } = await withRequest(REQUEST).field('image', 'iVBORw0').expect(422);
    expect(faultsOf(body)).toEqual([
      '/image is required: at least one file',
      '/image must be a file: the part needs a file name',
    ]);
  });

  test('include file names that are too long to be ids', async () => {
    const { body } = await withRequest(REQUEST).attach('image', png, 'x'.repeat(201)).expect(422);
    expect(faultsOf(body)).toEqual(['/image/0 must have a file name of at most 200 characters']);
  });

  test('include more files than inputs are allowed, however many there are', async () => {
    for (const count of [4, 5, 30]) {
      let request = withRequest(REQUEST);
      for (let index = 0; index < count; index += 1) request = request.attach('image', png, `${index}.png`);
      const { body, status } = await request;
      expect([status, (body as { errors: Fault[] }).errors], `${count} files`).toEqual([
        422,
        [{ pointer: '/image', detail: 'must be at most 3 files' }],
      ]);
    }
  });

  test('include bytes that are no form at all: 400', async () => {
    for (const type of ['multipart/form-data; boundary=x', 'multipart/form-data']) {
      const response = await form().set('Content-Type', type).send('--y\r\nnothing of the kind');
      expect(response.body).toMatchObject({ status: 400, code: 'malformed_request' });
    }
  });

  test('include a part that is cut off: 400', async () => {
    const cut = '--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nhalf';
    const { body } = await form().set('Content-Type', 'multipart/form-data; boundary=x').send(cut);
    expect(body).toMatchObject({ status: 400, code: 'malformed_request' });
  });
});

test('a form with too many fields is refused as such', async () => {
  let request = withRequest(REQUEST);
  for (let index = 0; index < 20; index += 1) request = request.field(`field${index}`, 'x');
  const { body } = await request.attach('image', png, 'a.png').expect(422);
  expect(faultsOf(body)).toEqual([' has too many parts; send one "request" and "image" files']);
});

describe('a form over the limit', () => {
  const detail = 'the request is larger than 65536 bytes';

  test('is 413 by one file', async () => {
    const { body } = await withRequest(REQUEST).attach('image', Buffer.alloc(70_000), 'a.png').expect(413);
    expect(body).toMatchObject({ code: 'payload_too_large', detail });
  });

  test('is 413 by all its files together, even where their length is not announced', async () => {
    const part = (name: string): string =>
      `--x\r\nContent-Disposition: form-data; name="image"; filename="${name}"\r\n\r\n${'.'.repeat(30_000)}\r\n`;
    const announced = await withRequest(REQUEST)
      .attach('image', Buffer.alloc(30_000), 'a.png')
      .attach('image', Buffer.alloc(30_000), 'b.png')
      .attach('image', Buffer.alloc(30_000), 'c.png')
      .expect(413);
    expect(announced.body).toMatchObject({ code: 'payload_too_large', detail });
    const address = api.server.address() as { port: number };
    const streamed = await fetch(`http://127.0.0.1:${address.port}/v1/certifications`, {
      method: 'POST',
      headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
      body: new Blob([part('a'), part('b'), part('c'), '--x--\r\n']).stream(),
      duplex: 'half',
    });
    expect(await streamed.json()).toMatchObject({ status: 413, code: 'payload_too_large', detail });
  });

  test('leaves the server ready for the next one', async () => {
    await withRequest(REQUEST).attach('image', png, 'a.png').expect(202);
  });
});
