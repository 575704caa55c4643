import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { assert as holds, array, asyncProperty, constantFrom } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { useTestApi } from '../support/api.ts';

const api = useTestApi();

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Sends a path byte by byte: clients made for people tidy it up first. */
function send(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const { port } = api.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers, method }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          type: String(response.headers['content-type']),
          body: Buffer.concat(parts).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('a path that the pages under /docs forbid has a status that blames the client', () => {
  test.each([
    ['/docs/static/..%2f..%2fpackage.json'],
    ['/docs/static/%2e%2e/%2e%2e/package.json'],
    ['/docs/static/..%5c..%5cpackage.json'],
    ['/docs/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd'],
    ['/docs/static/.%00'],
    ['/docs/static//etc/passwd'],
  ])('%s', async (path) => {
    const { status, type, body } = await send(path);
    expect(status, body).toBeGreaterThanOrEqual(400);
    expect(status, body).toBeLessThan(500);
    expect(type).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(body)).toMatchObject({ status, instance: path });
  });

  test('and so has any other, whatever it is made of', async () => {
    const parts = [
      '..',
      '.',
      '/',
      '%2f',
      '%2e',
      '%5c',
      '\\',
      '%00',
      '%',
      '%zz',
      '//',
      'index.html',
      'static',
      '~',
      ';',
      '%c0%af',
      ':',
      '*',
      '?',
      '%25',
    ];
    const prefix = constantFrom(
      '/docs',
      '/docs/',
      '/docs/static/',
      '/',
      '/v1/certifications/',
      '/problems/',
      '/openapi.json',
    );
    await holds(
      asyncProperty(prefix, array(constantFrom(...parts), { maxLength: 8 }), async (start, rest) => {
        const { status } = await send(start + rest.join(''));
        expect(status, start + rest.join('')).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });
});

test('a request whose conditions cannot be met keeps the status that says so', async () => {
  const { status: ok } = await send('/docs/static/index.css');
  expect(ok).toBe(200);
  const range = await send('/docs/static/index.css', { range: 'bytes=999999999-' });
  expect(range.status).toBe(416);
  expect(JSON.parse(range.body)).toMatchObject({ code: 'request_refused', status: 416 });
  const condition = await send('/docs/static/index.css', { 'if-match': '"another"' });
  expect(condition.status).toBe(412);
});
