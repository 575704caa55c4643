import type { FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { DomainError, type Fault } from '../errors.ts';
import { describeFaults } from '../inference/schema-faults.ts';
import type { RawInput, RawSubmission } from './submission.ts';

type RequestPart = Omit<RawSubmission, 'inputs'> & { readonly labels?: Readonly<Record<string, number>> };

/** Reads multipart requests: one JSON part named `request`, and the images as files named `image`. */
export type MultipartReader = (request: FastifyRequest) => Promise<RawSubmission>;

/** A reader whose JSON part must fit `schema`; each file's name becomes its input's id. */
export function createMultipartReader(schema: TSchema, maxInputs: number): MultipartReader {
  const validator = Compile(schema);

  function parsePart(text: string | null): RequestPart {
    const fault = (detail: string): never => {
      throw new DomainError('validation_failed', undefined, [{ pointer: '/request', detail }]);
    };
    if (text === null) return fault('is required: a part named "request" with the parameters as JSON');
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new DomainError('malformed_request', 'the part named "request" is not JSON');
    }
    if (!validator.Check(value)) {
      const faults = describeFaults(validator.Errors(value)).map(({ pointer, detail }) => ({
        pointer: `/request${pointer}`,
        detail,
      }));
      throw new DomainError('validation_failed', undefined, faults);
    }
    return value as RequestPart;
  }

  return async function read(request) {
    let text: string | null = null;
    const files: { name: string; bytes: Uint8Array }[] = [];
    const faults: Fault[] = [];
    for await (const part of request.parts({ limits: { files: maxInputs } })) {
      if (part.fieldname === 'request') {
        text = part.type === 'file' ? (await part.toBuffer()).toString('utf8') : String(part.value);
      } else if (part.type === 'file' && part.fieldname === 'image') {
        files.push({ name: part.filename || String(files.length), bytes: await part.toBuffer() });
      } else {
        if (part.type === 'file') part.file.resume();
        faults.push({
          pointer: `/${part.fieldname}`,
          detail: 'is not a known part; send "request" and "image" files',
        });
      }
    }
    const { labels = {}, ...rest } = parsePart(text);
    if (files.length === 0) faults.push({ pointer: '/image', detail: 'is required: at least one file' });
    for (const name of Object.keys(labels)) {
      if (!files.some((file) => file.name === name)) {
        faults.push({ pointer: `/request/labels/${name}`, detail: 'names no file of the request' });
      }
    }
    if (faults.length > 0) throw new DomainError('validation_failed', undefined, faults);
    const inputs = files.map(({ name, bytes }, index): RawInput => ({
      id: name,
      kind: 'image',
      bytes,
      label: labels[name] ?? null,
      pointer: `/image/${index}`,
      faults: [],
    }));
    return { ...rest, inputs };
  };
}
