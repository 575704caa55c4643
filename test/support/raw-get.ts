import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: Buffer;
}

/** Sends a GET and answers as soon as the head is there; nothing is read of the content yet. */
export function openGet(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }).on('response', resolve).on('error', reject).end();
  });
}

/** An answer with its trailers. Rejects where the connection ends before the content. */
export async function rawGet(url: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const answer = await openGet(url, headers);
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return {
    status: answer.statusCode!,
    headers: answer.headers,
    trailers: answer.trailers,
    body: Buffer.concat(parts),
  };
}
