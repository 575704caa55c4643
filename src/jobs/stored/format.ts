import type { TSchema } from 'typebox';
import { DomainError } from '../../errors.ts';
import { compileSchema, describeFaults } from '../../schema-faults.ts';

/** A value with the version of its format. */
export interface Envelope<Value> {
  readonly v: number;
  readonly value: Value;
}

/** How values of one kind are kept, where processes of several releases read them. */
export interface StoredFormat<Value> {
  /** @throws Error for a value that could not be read again */
  wrap(value: Value): Envelope<Value>;
  /**
   * @throws DomainError `release_mismatch` where a newer release wrote it: what it means is not known here
   * @throws Error for what no release has written
   */
  unwrap(envelope: unknown): Value;
  /** The same as JSON. */
  write(value: Value): string;
  read(text: string): Value;
}

/** A version that is written no more, and how what it said is said now. */
export interface OlderVersion {
  readonly version: number;
  readonly schema: TSchema;
  upgrade(value: unknown): unknown;
}

export interface FormatOptions {
  /** For sentences: "the votes of a chunk". */
  readonly what: string;
  /** Raised with every change after which an older release would read something else, or nothing. */
  readonly version: number;
  /** Of the value; closed, so that nothing is read past. */
  readonly schema: TSchema;
  readonly older?: readonly OlderVersion[];
}

/** Makes the format of one kind of value. What the schema accepts is taken for a `Value`, and is checked as it is written, too. */
export function storedFormat<Value>({
  what,
  version,
  schema,
  older = [],
}: FormatOptions): StoredFormat<Value> {
  const readers = [{ version, schema, upgrade: (value: unknown) => value }, ...older].map((each) => ({
    ...each,
    validator: compileSchema(each.schema),
  }));
  const [current] = readers;

  function check(validator: ReturnType<typeof compileSchema>, value: unknown): void {
    if (validator.Check(value)) return;
    const faults = describeFaults(validator.Errors(value)).map(
      ({ pointer, detail }) => `${pointer} ${detail}`,
    );
    throw new Error(`${what} cannot be read: ${faults.join('; ')}`);
  }

  const format: StoredFormat<Value> = {
    wrap(value) {
      check(current!.validator, value);
      return { v: version, value };
    },
    unwrap(envelope) {
      if (!isEnvelope(envelope)) throw new Error(`${what} cannot be read: it says no version`);
      const { v, value } = envelope;
      if (v > version) throw newerRelease(what, v, version);
      const reader = readers.find((each) => each.version === v);
      if (reader === undefined) throw new Error(`${what} cannot be read: there was no version ${v}`);
      check(reader.validator, value);
      return reader.upgrade(value) as Value;
    },
    write: (value) => JSON.stringify(format.wrap(value)),
    read(text) {
      let envelope: unknown;
      try {
        envelope = JSON.parse(text);
      } catch {
        throw new Error(`${what} cannot be read: it is no JSON`);
      }
      return format.unwrap(envelope);
    },
  };
  return format;
}

/** What is said wherever something is met that a newer release wrote. */
export function newerRelease(what: string, version: number, known: number): DomainError {
  const detail = `${what} is of version ${version}, of a newer release; this one knows up to ${known} and leaves it alone`;
  return new DomainError('release_mismatch', detail);
}

/** Whether it was thrown for what a newer release wrote. */
export function isNewerRelease(error: unknown): error is DomainError {
  return error instanceof DomainError && error.code === 'release_mismatch';
}

function isEnvelope(value: unknown): value is Envelope<unknown> {
  if (typeof value !== 'object' || value === null || !('v' in value) || !('value' in value)) return false;
  return typeof value.v === 'number' && Number.isInteger(value.v) && value.v >= 1;
}
