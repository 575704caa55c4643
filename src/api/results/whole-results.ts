import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Kind } from '../../contract/kinds.ts';
import type { ResultResource } from '../../contract/resources.ts';
import { inputWindows } from '../../jobs/input-windows.ts';
import type { ResultPage } from '../../jobs/job-service.ts';
import type { JobRecord } from '../../jobs/job-record.ts';
import { csvHead, csvRows } from './csv-rows.ts';
import { reprDigest } from './repr-digest.ts';
import { researchHead, researchRows } from './research-rows.ts';
import { RESULT_FORMATS, type WholeFormat } from './result-format.ts';

interface Rows {
  readonly head: (kind: Kind) => string;
  readonly rows: (job: JobRecord, results: readonly ResultResource[]) => string;
}

const ROWS: Readonly<Record<WholeFormat, Rows>> = {
  ndjson: {
    head: () => '',
    rows: (_, results) => results.map((result) => `${JSON.stringify(result)}\n`).join(''),
  },
  csv: { head: csvHead, rows: (job, results) => csvRows(job.request.kind, results) },
  tsv: { head: researchHead, rows: researchRows },
};

/** A client that takes nothing for so long does not hold its connection and a window of results any longer. */
const STALLED_MILLISECONDS = 120_000;

export interface WholeResults {
  /** Reads inputs [first, first + count). */
  readonly read: (first: number, count: number) => Promise<ResultPage>;
  readonly present: (page: ResultPage) => ResultResource[];
}

/**
 * Sends all results of a job, a window of inputs at a time and none before the client has taken the last: what is held does
 * not grow with the job. Each window is as it is when it is read. `Repr-Digest` (RFC 9530) comes as a trailer, since a digest
 * ahead of the content would take the content twice, and of a running job could not be kept. What fails on the way ends the
 * connection before the end of the content, which no client can take for the whole.
 *
 * @throws DomainError what the first window meets, before anything is sent
 */
export async function sendWholeResults(
  reply: FastifyReply,
  format: WholeFormat,
  { read, present }: WholeResults,
): Promise<FastifyReply> {
  const first = await read(0, 1);
  const { head, rows } = ROWS[format];
  const { request, raw } = reply;
  const withBody = request.method === 'GET';
  // HTTP/1.0, which some proxies speak, has no trailers; Node refuses to announce one there.
  const withDigest = withBody && request.raw.httpVersion !== '1.0';
  raw.setTimeout(STALLED_MILLISECONDS);

  async function* content(): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    const part = (text: string): Buffer => {
      const bytes = Buffer.from(text);
      hash.update(bytes);
      return bytes;
    };
    const top = part(head(first.job.request.kind));
    if (top.length > 0) yield top;
    for (const window of inputWindows(first.job.inputsTotal)) {
      const page = await read(window.first, window.count);
      yield part(rows(page.job, present(page)));
    }
    if (withDigest) raw.addTrailers({ 'Repr-Digest': reprDigest(hash) });
  }

  if (withDigest) void reply.header('Trailer', 'Repr-Digest');
  // A digest of the content as it is sent: nobody on the way may send it otherwise.
  void reply.header('Cache-Control', 'no-transform');
  void reply.type(`${RESULT_FORMATS[format]}; charset=utf-8`);
  return reply.send(Readable.from(withBody ? content() : [], { objectMode: false }));
}
