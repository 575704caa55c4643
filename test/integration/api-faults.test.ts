import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { undecodablePng } from '../support/image-bytes.ts';
import { certification, greyPng, startTestApi, tensor, useTestApi } from '../support/api.ts';

const api = useTestApi({ maxInputs: 3, maxBodyBytes: 64 * 1024 });

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

async function refused(body: unknown, status = 422, path = '/v1/certifications'): Promise<Problem> {
  const response = await api.http
    .post(path)
    .set('Content-Type', 'application/json')
    .send(JSON.stringify(body))
    .expect('Content-Type', /^application\/problem\+json/);
  expect(response.status, JSON.stringify(response.body)).toBe(status);
  const problem = response.body as Problem;
  expect(response.body).toEqual({
    type: `/problems/${problem.code}`,
    title: expect.any(String) as string,
    status,
    code: problem.code,
    detail: problem.detail,
    instance: path,
    errors: problem.errors,
  });
  return problem;
}

/** The faults of a request, as "pointer sentence". */
async function faults(body: unknown, path = '/v1/certifications'): Promise<string[]> {
  const { code, errors } = await refused(body, 422, path);
  expect(code).toBe('validation_failed');
  return errors.map(({ pointer, detail }) => `${pointer} ${detail}`).sort();
}

const withParameters = (parameters: object): object => ({ ...certification(), parameters });
const withInputs = (...inputs: object[]): object => certification(inputs);

describe('a body that cannot be read', () => {
  const post = (type: string | null, text: string) => {
    const request = api.http.post('/v1/certifications');
    return (type === null ? request.unset('Content-Type') : request.set('Content-Type', type)).send(text);
  };

  test.each([
    ['is no JSON', '{"model": '],
    ['is empty', ''],
    ['would change prototypes', '{"__proto__": {"sigma": 1}}'],
  ])('is 400 malformed_request when it %s', async (_name, text) => {
    const { body } = await post('application/json', text).expect(400);
    expect(body).toMatchObject({ code: 'malformed_request', errors: [] });
  });

  test.each([
    ['text/plain', 'the Content-Type is text/plain'],
    ['application/xml', 'the Content-Type is application/xml'],
    ['application/x-www-form-urlencoded', 'the Content-Type is application/x-www-form-urlencoded'],
    ['nonsense', 'the Content-Type is nonsense'],
  ])('is 415 when it is %s, with the types that are read', async (type, given) => {
    const { body } = await post(type, 'model=mnist-cnn').expect(415);
    expect(body).toMatchObject({
      code: 'unsupported_media_type',
      detail: `${given}; this route reads application/json or multipart/form-data`,
    });
  });

  test('is 415 as a form where only JSON is read', async () => {
    const { body } = await api.http.post('/v1/radius').field('topCount', '1').expect(415);
    expect(body).toMatchObject({
      detail: 'the Content-Type is multipart/form-data; this route reads application/json',
    });
  });

  test('is 400 when there is none at all', async () => {
    const { body } = await api.http.post('/v1/certifications').expect(400);
    expect(body).toMatchObject({
      code: 'malformed_request',
      detail: 'the request has no body; this route reads application/json or multipart/form-data',
    });
  });

  test('is 413 when it is larger than the limit, which is named', async () => {
    const large = certification([{ image: 'A'.repeat(70_000) }]);
    const { code, detail } = await refused(large, 413);
    expect(code).toBe('payload_too_large');
    expect(detail).toBe('the request is larger than 65536 bytes');
  });

  test('is read whatever parameters its content type has', async () => {
    await api.http
      .post('/v1/certifications')
      .set('Content-Type', 'Application/JSON; charset=utf-8')
      .send(JSON.stringify(certification()))
      .expect(202);
  });
});

describe('values that the schema does not allow', () => {
  test('are all reported at once, each with its place', async () => {
    const body = {
      modle: 'mnist-cnn',
      parameters: { sigma: '0.5', n: 0, alpha: 2, bound: 'pB', n0: 1.5 },
      inputs: [
        { id: '', image: 3 },
        { tensor: { dtype: 'float32', shape: [1, 28], data: '' } },
        { lable: 3 },
      ],
      reproductionSeed: 'XYZ',
    };
    expect(await faults(body)).toEqual(
      [
        '/model is required',
        '/modle is not a known field',
        '/parameters/sigma must be a number',
        '/parameters/n must be at least 1',
        '/parameters/n0 must be an integer',
        '/parameters/alpha must be at most 0.25',
        '/parameters/bound must be one of "pA", "pA-pB"',
        '/inputs/0/id must not be empty',
        '/inputs/0/image must be a string',
        '/inputs/1/tensor/dtype must be "uint8"',
        '/inputs/1/tensor/shape must have at least 3 items',
        '/inputs/1/tensor/data must not be empty',
        '/inputs/2/lable is not a known field',
        '/reproductionSeed must be 64 hexadecimal digits in lower case',
      ].sort(),
    );
  });

  test('such as a misspelt sigam are errors, never ignored', async () => {
    expect(await faults(withParameters({ sigma: 0.5, sigam: 0.25 }))).toEqual([
      '/parameters/sigam is not a known field',
    ]);
    expect(await faults(withParameters({ sigam: 0.25 }))).toEqual([
      '/parameters/sigam is not a known field',
      '/parameters/sigma is required',
    ]);
  });

  test.each<[string, object, string]>([
    ['a string for a number', withParameters({ sigma: '0.5' }), '/parameters/sigma must be a number'],
    ['null for a number', withParameters({ sigma: null }), '/parameters/sigma must be a number'],
    ['too little noise', withParameters({ sigma: 0.001 }), '/parameters/sigma must be at least 0.01'],
    ['too much noise', withParameters({ sigma: 3 }), '/parameters/sigma must be at most 2.84'],
    ['a fraction of a sample', withParameters({ sigma: 1, n: 10.5 }), '/parameters/n must be an integer'],
    [
      'a class that is no integer',
      withInputs({ tensor: tensor(), label: '3' }),
      '/inputs/0/label must be an integer',
    ],
    ['a negative class', withInputs({ tensor: tensor(), label: -1 }), '/inputs/0/label must be at least 0'],
    ['no inputs', withInputs(), '/inputs must not be empty'],
    [
      'too many inputs',
      withInputs(...Array.from({ length: 4 }, () => ({ tensor: tensor() }))),
      '/inputs must have at most 3 items',
    ],
    [
      'a long id',
      withInputs({ id: 'x'.repeat(201), tensor: tensor() }),
      '/inputs/0/id must have at most 200 characters',
    ],
    [
      'a short seed',
      { ...certification(), reproductionSeed: 'ab' },
      '/reproductionSeed must be 64 hexadecimal digits in lower case',
    ],
    [
      'a seed in upper case',
      { ...certification(), reproductionSeed: 'AB'.repeat(32) },
      '/reproductionSeed must be 64 hexadecimal digits in lower case',
    ],
    [
      'an index of no input',
      { ...certification(), reproductionSeed: 'ab'.repeat(32), reproductionIndex: -1 },
      '/reproductionIndex must be at least 0',
    ],
    [
      'an index without the seed that it belongs to',
      { ...certification(), reproductionIndex: 2 },
      '/reproductionIndex says where in a job that is repeated the inputs start: it needs reproductionSeed',
    ],
    [
      'parameters of a certification in a prediction',
      { ...certification(), parameters: { sigma: 1, n0: 5 } },
      '/parameters/n0 is not a known field',
    ],
  ])('such as %s are refused', async (name, body, fault) => {
    const path = name.endsWith('prediction') ? '/v1/predictions' : '/v1/certifications';
    expect(await faults(body, path)).toEqual([fault]);
  });

  test.each([
    ['null', null],
    ['a list', []],
    ['a string', 'mnist-cnn'],
  ])('include a body that is %s', async (_, body) => {
    expect(await faults(body)).toEqual([' must be an object']);
  });

  test('are looked for up to a bound, so that a hostile body costs no more than a wrong one', async () => {
    const hostile = certification([...Array<number>(20_000).fill(0)] as unknown as object[]);
    const { errors } = await refused(hostile);
    expect(errors.length).toBeGreaterThan(10);
    expect(errors.length).toBeLessThanOrEqual(100);
  });
});

describe('values that no schema can check', () => {
  test('are all reported at once too', async () => {
    const body = {
      model: 'minst',
      parameters: { sigma: 0.5, n: 5 },
      inputs: [{ id: 'a', image: '%%%' }, { id: 'a' }, { id: 'b', image: 'AAAA', tensor: tensor() }],
    };
    expect(await faults(body)).toEqual([
      '/inputs/0/image is not base64 (RFC 4648, with padding, without line breaks)',
      '/inputs/1 must have exactly one of image and tensor',
      '/inputs/1/id "a" already names an earlier input',
      '/inputs/2 must have exactly one of image and tensor',
      '/model there is no model "minst"; there are: fashion-mnist-cnn, fashion-mnist-tensorflow, mnist-cnn',
      '/parameters/n n = 5 samples cannot certify at alpha = 0.001: at least 10 are needed',
    ]);
  });

  test('such as an id that equals the index of another input are found', async () => {
    const inputs = withInputs({ tensor: tensor() }, { id: '0', tensor: tensor() });
    expect(await faults(inputs)).toEqual(['/inputs/1/id "0" already names an earlier input']);
  });

  test.each([
    ['AAA', 'wrong length'],
    ['AA==AA==', 'padding inside'],
    ['A-_A', 'the URL alphabet'],
    ['AAAA\nAAA', 'a line break'],
  ])('such as %j in place of base64 (%s) are refused', async (data) => {
    const input = { tensor: { ...tensor(), data } };
    expect(await faults(withInputs(input))).toEqual([
      '/inputs/0/tensor/data is not base64 (RFC 4648, with padding, without line breaks)',
    ]);
  });

  test('such as a label that is no class of the model are refused', async () => {
    await api.http
      .post('/v1/certifications')
      .send(withInputs({ tensor: tensor(), label: 9 }))
      .expect(202);
    expect(await faults(withInputs({ tensor: tensor(), label: 10 }))).toEqual([
      '/inputs/0/label must be a class number below 10',
    ]);
  });

  test('such as a tensor of another shape or length are refused with both', async () => {
    const transposed = { ...tensor(), shape: [28, 28, 1] };
    const short = { ...tensor(), data: Buffer.alloc(783).toString('base64') };
    expect(await faults(withInputs({ tensor: transposed }, { tensor: short }))).toEqual([
      '/inputs/0/tensor/shape is [28, 28, 1]; the model takes [1, 28, 28] (NCHW without N)',
      '/inputs/1/tensor/data the tensor has 783 bytes; the model takes 1 x 28 x 28 = 784',
    ]);
  });
});

describe('an image', () => {
  const colour = (channels: 3 | 4) =>
    sharp({ create: { width: 28, height: 28, channels, background: { r: 255, g: 0, b: 0, alpha: 0.5 } } });

  test('of another size is refused with both sizes', async () => {
    const image = (await greyPng(0, 32)).toString('base64');
    expect(await faults(withInputs({ image }))).toEqual([
      '/inputs/0/image the image is 32 x 32 pixels (width x height); the model takes 28 x 28',
    ]);
  });

  test('in colour for a grey model, or with an alpha channel, is refused with the reason', async () => {
    const [rgb, rgba] = await Promise.all([colour(3).png().toBuffer(), colour(4).png().toBuffer()]);
    const images = [rgb, rgba].map((bytes) => ({ image: bytes.toString('base64') }));
    expect(await faults(withInputs(...images))).toEqual([
      '/inputs/0/image the image has colours and the model takes grey; convert it to one channel (column 0 of row 0 is (255, 0, 0))',
      '/inputs/1/image the image has an alpha channel; flatten it first',
    ]);
  });

  test('in colours that are all grey is accepted for a grey model, as every WebP must be', async () => {
    const grey = { create: { width: 28, height: 28, channels: 3, background: '#4d4d4d' } } as const;
    const files = await Promise.all([
      sharp(grey).png().toBuffer(),
      sharp(grey).webp({ lossless: true }).toBuffer(),
      sharp(grey).jpeg().toBuffer(),
    ]);
    const images = files.map((bytes) => ({ image: bytes.toString('base64') }));
    await api.http
      .post('/v1/certifications')
      .send(withInputs(...images))
      .expect(202);
  });

  test('that is none, or is cut off, is refused by its bytes, all of them at once', async () => {
    const gif = await colour(3).gif().toBuffer();
    const whole = await greyPng();
    const images = [Buffer.from('not an image at all'), gif, whole.subarray(0, -20)];
    expect(await faults(withInputs(...images.map((bytes) => ({ image: bytes.toString('base64') }))))).toEqual(
      [
        '/inputs/0/image the image is text; send a PNG, JPEG or WebP file',
        '/inputs/1/image the image is a GIF file; send a PNG, JPEG or WebP file',
        '/inputs/2/image the image cannot be read: the file is cut off',
      ],
    );
  });

  test('whose compressed data are damaged is accepted, since it fails alone without holding up the others', async () => {
    const image = undecodablePng().toString('base64');
    await api.http
      .post('/v1/certifications')
      .send(withInputs({ image }, { tensor: tensor() }))
      .expect(202);
  });
});

describe('a request that could never be certified', () => {
  test('is refused with the reason and the number that would do', async () => {
    const { code, detail, errors } = await refused(withParameters({ sigma: 0.5, n: 9, alpha: 0.001 }));
    expect(code).toBe('cannot_certify');
    expect(detail).toBe('n = 9 samples cannot certify at alpha = 0.001: at least 10 are needed');
    expect(errors).toEqual([{ pointer: '/parameters/n', detail }]);
    await api.http
      .post('/v1/certifications')
      .send(withParameters({ sigma: 0.5, n: 10 }))
      .expect(202);
  });

  test('is refused as a prediction whose votes cannot be significant', async () => {
    const body = withParameters({ sigma: 0.5, n: 10, alpha: 0.001 });
    const { code, detail } = await refused(body, 422, '/v1/predictions');
    expect(code).toBe('cannot_certify');
    expect(detail).toMatch(/^n = 10 samples cannot be significant at alpha = 0.001/);
  });
});

test('a request for more samples than a job may have is refused with both numbers', async () => {
  const large = await startTestApi(api.testRedis.url, { maxInputs: 200 });
  try {
    const inputs = Array.from({ length: 101 }, () => ({ tensor: tensor() }));
    const parameters = { sigma: 0.5, n: 10_000_000 };
    const { body } = await large.http
      .post('/v1/certifications')
      .send({ ...certification(inputs), parameters })
      .expect(422);
    const detail = 'asks for 1010010100 samples over all inputs; a request may ask for 1000000000';
    expect((body as Problem).errors).toEqual([{ pointer: '/parameters/n', detail }]);
    const allowed = { ...certification(inputs.slice(0, 99)), parameters };
    await large.http.post('/v1/certifications').send(allowed).expect(202);
  } finally {
    await large.close();
  }
});

describe('what is no route', () => {
  test.each([
    ['GET', '/v1/certificates'],
    ['DELETE', '/v1/certifications'],
    ['PUT', '/v1/models'],
    ['GET', '/v1/radius'],
  ])('%s %s is 404 route_not_found, and says where the routes are', async (method, path) => {
    const request = { GET: api.http.get(path), DELETE: api.http.delete(path), PUT: api.http.put(path) };
    const { body, headers } = await request[method as keyof typeof request].expect(404);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({
      type: '/problems/route_not_found',
      code: 'route_not_found',
      detail: `${method} ${path} is not a route; /docs lists them`,
      instance: path,
    });
  });

  test('is 400 as a problem where the address itself is malformed', async () => {
    const { body, headers } = await api.http.get('/v1/certifications/%zz').expect(400);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ code: 'malformed_request' });
  });
});

test('nothing that was refused has left a job behind', async () => {
  const { body } = await api.http.get('/v1/certifications?limit=500').expect(200);
  const accepted = (body as { data: unknown[] }).data.length;
  await refused({});
  await refused(withInputs({ tensor: tensor(), label: 11 }));
  const { body: after } = await api.http.get('/v1/certifications?limit=500').expect(200);
  expect((after as { data: unknown[] }).data).toHaveLength(accepted);
});
