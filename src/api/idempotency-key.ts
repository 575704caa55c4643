import { DomainError } from '../errors.ts';

const MOST_BYTES = 255;
/** A string of RFC 8941, without parameters. */
const STRING = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
/** A token of RFC 8941, and what else clients send without quotes: UUIDs, which may begin with a digit. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~:/-]+$/;

/** Reads the header: a string in quotation marks or a bare token, which name the same key; null without one. */
export function readIdempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const text = String(header).trim();
  const quoted = STRING.exec(text)?.[1]?.replaceAll(/\\(.)/g, '$1');
  const key = quoted ?? (TOKEN.test(text) ? text : '');
  if (key.length >= 1 && key.length <= MOST_BYTES) return key;
  const detail = `must be one key of 1 to ${MOST_BYTES} bytes: a string in quotation marks (RFC 8941), or a token without them, such as a UUID`;
  const fault = { pointer: '/headers/idempotency-key', detail };
  throw new DomainError('malformed_request', `the header Idempotency-Key ${detail}`, [fault]);
}
