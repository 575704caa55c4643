import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { DomainError, type Fault } from '../errors.ts';
import { compileSchema, describeFaults, escapePointer } from '../schema-faults.ts';
import { ID_LENGTH } from '../contract/request.ts';
import type { RawInput, RawSubmission } from './submission.ts';

type RequestPart = Omit<RawSubmission, 'inputs' | 'pointer'> & {
  readonly labels?: Readonly<Record<string, number>>;
};

/** Reads multipart requests: one JSON part named `request`, and the images as files named `image`. */
export type MultipartReader = (request: FastifyRequest) => Promise<RawSubmission>;

export interface MultipartLimits {
  readonly maxInputs: number;
  /** Of all parts together: the plugin bounds each file only. */
  readonly maxBodyBytes: number;
}

interface Form {
  /** Text of the `request` part, its value where the client marked it as JSON, undefined without the part. */
  readonly request: unknown;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly faults: readonly Fault[];
}

/** A reader whose JSON part must fit `schema`; each file's name becomes its input's id. */
export function createMultipartReader(schema: TSchema, limits: MultipartLimits): MultipartReader {
  const validator = compileSchema(schema);

  function checkPart(given: unknown): {
    readonly part: RequestPart | null;
    readonly faults: readonly Fault[];
  } {
    if (given === undefined) {
      const detail = 'is required: a part named "request" with model and parameters as JSON';
      return { part: null, faults: [{ pointer: '/request', detail }] };
    }
    const value = typeof given === 'string' ? parseJson(given) : given;
    if (validator.Check(value)) return { part: value as RequestPart, faults: [] };
    const faults = describeFaults(validator.Errors(value));
    return {
      part: null,
      faults: faults.map(({ pointer, detail }) => ({ pointer: `/request${pointer}`, detail })),
    };
  }

  return async function read(request) {
    const form = await readForm(request, limits);
    const { part, faults: partFaults } = checkPart(form.request);
    const faults = [...partFaults, ...form.faults];
    const { labels = {}, ...rest } = part ?? { model: '', parameters: { sigma: 0 } };
    for (const name of Object.keys(labels)) {
      if (!form.files.some((file) => file.name === name)) {
        faults.push({ pointer: labelPointer(name), detail: 'names no file of the request' });
      }
    }
    if (faults.length > 0) throw new DomainError('validation_failed', undefined, faults);
    const inputs = form.files.map(({ name, bytes }, index): RawInput => ({
      id: name,
      kind: 'image',
      bytes,
      label: Object.hasOwn(labels, name) ? labels[name]! : null,
      pointers: { id: `/image/${index}`, content: `/image/${index}`, label: labelPointer(name) },
      faults: [],
    }));
    return { ...rest, inputs, pointer: '/request' };
  };
}

function labelPointer(name: string): string {
  return `/request/labels/${escapePointer(name)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DomainError('malformed_request', 'the part named "request" is not JSON');
  }
}

/** Reads every part within the limits. Parts that are not known are faults, so that a misspelt one is not ignored. */
async function readForm(
  request: FastifyRequest,
  { maxInputs, maxBodyBytes }: MultipartLimits,
): Promise<Form> {
  const tooLarge = (): never => {
    throw new DomainError('payload_too_large', `the request is larger than ${maxBodyBytes} bytes`);
  };
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) tooLarge();
  const values: unknown[] = [];
  const files: { name: string; bytes: Uint8Array }[] = [];
  const faults: Fault[] = [];
  let size = 0;
  const count = (bytes: number): void => {
    size += bytes;
    if (size > maxBodyBytes) tooLarge();
  };
  try {
    for await (const part of request.parts()) {
      const bytes = part.type === 'file' ? await part.toBuffer() : Buffer.alloc(0);
      count(bytes.length);
      if (part.fieldname === 'request') {
        values.push(part.type === 'file' ? bytes.toString('utf8') : fieldValue(part));
      } else if (part.type === 'file' && part.fieldname === 'image') {
        files.push({ name: part.filename === '' ? String(files.length) : part.filename, bytes });
      } else {
        const detail =
          part.fieldname === 'image'
            ? 'must be a file: the part needs a file name'
            : 'is not a known part; send "request" and "image" files';
        faults.push({ pointer: `/${escapePointer(part.fieldname)}`, detail });
      }
    }
  } catch (error) {
    throw readError(error, maxInputs);
  }
  if (values.length > 1) faults.push({ pointer: '/request', detail: 'must be sent once' });
  if (files.length === 0) faults.push({ pointer: '/image', detail: 'is required: at least one file' });
  for (const [index, { name }] of files.entries()) {
    if (name.length > ID_LENGTH)
      faults.push({
        pointer: `/image/${index}`,
        detail: `must have a file name of at most ${ID_LENGTH} characters`,
      });
  }
  return { request: values[0], files, faults };
}

function fieldValue(part: Extract<Multipart, { type: 'field' }>): unknown {
  if (part.valueTruncated) throw new DomainError('payload_too_large', 'the part "request" is too large');
  return part.value;
}

/** What the parser throws, in the product's terms. */
function readError(error: unknown, maxInputs: number): unknown {
  if (!(error instanceof Error) || error instanceof DomainError) return error;
  const { code, statusCode } = error as Error & { code?: unknown; statusCode?: unknown };
  if (code === 'FST_FILES_LIMIT') {
    const fault = { pointer: '/image', detail: `must be at most ${maxInputs} files` };
    return new DomainError('validation_failed', undefined, [fault]);
  }
  if (code === 'FST_PARTS_LIMIT' || code === 'FST_FIELDS_LIMIT') {
    const fault = { pointer: '', detail: 'has too many parts; send one "request" and "image" files' };
    return new DomainError('validation_failed', undefined, [fault]);
  }
  if (statusCode !== undefined) return error;
  // Without a status it is about bytes that are not a form.
  return new DomainError('malformed_request', `the form cannot be read: ${error.message}`, [], {
    cause: error,
  });
}
