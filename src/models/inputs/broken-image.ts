import { DomainError } from '../../errors.ts';

/** Parts of a file that are looked at. Encoders that stream make thousands; more only serve to keep a decoder busy. */
const MOST_PARTS = 65_536;

/** Refuses a file whose structure is damaged; `input_undecodable`. */
export function brokenImage(detail: string): never {
  throw new DomainError('input_undecodable', `the image cannot be read: ${detail}`);
}

/** Refuses a file that ends before it should. */
export function cutOff(): never {
  return brokenImage('the file is cut off');
}

/** A counter that refuses a file of too many parts. */
export function countParts(what: string): () => void {
  let parts = 0;
  return () => {
    parts += 1;
    if (parts > MOST_PARTS) brokenImage(`it has more than ${MOST_PARTS} ${what}`);
  };
}
