import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { type Client, createClient, ServiceUnavailableError } from '../../../src/cli/client.ts';
import { DomainError } from '../../../src/errors.ts';
import { aModel, aResult } from '../../support/certification-samples.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A client of an HTTP server on this machine that answers as told. */
async function clientOf(handler: Handler, path = ''): Promise<Client> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  await once(server, 'listening');
  return createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

describe('client', () => {
  it('lists models', async () => {
    const client = await clientOf((request, response) => {
      expect(request.url).toBe('/v1/models');
      answer(response, 200, { data: [aModel()] });
    });
    expect(await client.models()).toEqual([aModel()]);
  });

  it('keeps the path of an address behind a proxy, with or without a slash', async () => {
    for (const path of ['/certify', '/certify/']) {
      const client = await clientOf(
        (request, response) => answer(response, 200, { data: [request.url] }),
        path,
      );
      expect(await client.models()).toEqual(['/certify/v1/models']);
    }
  });

  it('submits JSON to the collection of the kind', async () => {
    const client = await clientOf((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () =>
        answer(response, 202, {
          id: `${request.method} ${request.url} ${request.headers['content-type']} ${text}`,
        }),
      );
    });
    const body = { model: 'm', parameters: { sigma: 1 }, inputs: [] };
    const { id } = await client.submit('prediction', body);
    expect(id).toBe(`POST /v1/predictions application/json ${JSON.stringify(body)}`);
  });

  it('fetches all pages of results in order', async () => {
    const client = await clientOf((request, response) => {
      const cursor = Number(new URL(request.url!, 'http://x').searchParams.get('cursor'));
      const next = cursor < 1000 ? String(cursor + 500) : null;
      answer(response, 200, { data: [aResult({ index: cursor })], next });
    });
    const results = await client.results('certification', 'cert_1');
    expect(results.map(({ index }) => index)).toEqual([0, 500, 1000]);
  });

  it("throws the service's problem with its code and every fault", async () => {
    const errors = [
      { pointer: '/parameters/n', detail: 'too small' },
      { pointer: '/model', detail: 'unknown' },
    ];
    const client = await clientOf((_, response) =>
      answer(response, 422, { code: 'validation_failed', detail: 'no', errors }),
    );
    await expect(client.models()).rejects.toMatchObject({
      name: 'DomainError',
      code: 'validation_failed',
      message: 'no',
      faults: errors,
    });
  });

  it('takes 503 for an outage, with what the service says of it', async () => {
    const client = await clientOf((_, response) =>
      answer(response, 503, { code: 'queue_unavailable', detail: 'Redis is away', errors: [] }),
    );
    await expect(client.models()).rejects.toSatisfy(
      (error) => error instanceof ServiceUnavailableError && error.message === 'Redis is away',
    );
  });

  it('takes something that is no Smoothcert service for one that is not there', async () => {
    const client = await clientOf((_, response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not found</h1>');
    });
    await expect(client.models()).rejects.toBeInstanceOf(ServiceUnavailableError);
    await expect(client.models()).rejects.toThrow('status 404');
  });

  it('says which address does not answer', async () => {
    const client = createClient('http://127.0.0.1:1');
    await expect(client.models()).rejects.toThrow('the service at http://127.0.0.1:1 cannot be reached');
  });

  it('takes a connection that breaks off for an outage', async () => {
    const client = await clientOf((request) => request.socket.destroy());
    await expect(client.models()).rejects.toBeInstanceOf(ServiceUnavailableError);
  });

  it('rejects with the reason of an abort, at once', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const client = await clientOf(() => controller.abort(reason));
    await expect(client.models(controller.signal)).rejects.toBe(reason);
  });

  it('cancels by POST', async () => {
    let seen = '';
    const client = await clientOf((request, response) => {
      seen = `${request.method} ${request.url}`;
      answer(response, 409, { code: 'already_finished', detail: 'over', errors: [] });
    });
    await expect(client.cancel('certification', 'a/b')).rejects.toBeInstanceOf(DomainError);
    expect(seen).toBe('POST /v1/certifications/a%2Fb/cancel');
  });
});
