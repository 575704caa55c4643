import { expect, it } from 'vitest';
import { certification, tensor, useTestApi } from '../support/api.ts';

const api = useTestApi({ maxInputs: 200 });

const submit = (inputs: number, n: number) => {
  const request = certification(Array.from({ length: inputs }, () => ({ tensor: tensor() })));
  return api.http.post('/v1/certifications').send({ ...request, parameters: { sigma: 0.5, n0: 100, n } });
};

it('refuses more than a thousand million samples in one request, and says how many it asks for', async () => {
  const { status, body } = await submit(101, 10_000_000);
  expect(status).toBe(422);
  expect((body as { errors: unknown }).errors).toEqual([
    {
      pointer: '/parameters/n',
      detail: 'asks for 1010010100 samples over all inputs; a request may ask for 1000000000',
    },
  ]);
});

it('accepts as many samples as that', async () => {
  expect((await submit(99, 10_000_000)).status).toBe(202);
});
