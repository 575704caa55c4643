import { Type } from 'typebox';
import { OneOf } from '../../contract/building-blocks.ts';
import { hasEnded, STORED_STATUSES, type StoredStatus } from '../../contract/status.ts';
import type { EngineDescription } from '../../engines/engine.ts';
import { compileSchema } from '../../schema-faults.ts';
import type { JobRecord } from '../job-record.ts';
import type { JobRef } from '../job-ref.ts';
import { newerRelease } from './format.ts';
import { engineFormat } from './record.ts';

const OUTCOMES = ['certified', 'predicted', 'abstained', 'reproduced', 'failed'] as const;
export type InputOutcome = (typeof OUTCOMES)[number];

/** What can happen to a job. */
export type Happening =
  /** It was created (queued), or moved on. */
  | { readonly type: 'status'; readonly status: StoredStatus; readonly counts: EndCounts | null }
  /** It got its pool; a binding above 0 is another pool than before, and all votes of the old one are gone. */
  | { readonly type: 'bound'; readonly binding: number; readonly engine: EngineDescription }
  /** A round of its sampling was planned. */
  | { readonly type: 'round'; readonly binding: number; readonly round: number }
  /** An input has its result. */
  | { readonly type: 'input'; readonly input: number; readonly outcome: InputOutcome }
  /** It was created and not accepted: there is no such job, and there never was for anybody who was told. */
  | { readonly type: 'withdrawn' };

/** What the inputs of a job came to, told with its end. */
export type EndCounts = Omit<JobRecord['counts'], 'labelled'>;

/** Something that has happened to a job, with the id by which all that follows can be asked for. */
export type JobEvent = { readonly id: string; readonly job: JobRef } & Happening;

/** Of the fields of an event. */
const EVENT_VERSION = 1;
const COUNTED = ['decided', 'failed', 'affirmed', 'abstained', 'reproduced', 'correct'] as const;
const Digits = Type.String({ pattern: '^[0-9]{1,15}$' });
const common = { v: Type.Literal(String(EVENT_VERSION)), job: Type.String() };
const closed = { additionalProperties: false } as const;

const validator = compileSchema(
  Type.Union([
    Type.Object(
      {
        ...common,
        type: Type.Literal('status'),
        status: OneOf([...STORED_STATUSES]),
        ...Object.fromEntries(COUNTED.map((name) => [name, Type.Optional(Digits)])),
      },
      closed,
    ),
    Type.Object({ ...common, type: Type.Literal('bound'), binding: Digits, engine: Type.String() }, closed),
    Type.Object({ ...common, type: Type.Literal('round'), binding: Digits, round: Digits }, closed),
    Type.Object(
      { ...common, type: Type.Literal('input'), input: Digits, outcome: OneOf([...OUTCOMES]) },
      closed,
    ),
    Type.Object({ ...common, type: Type.Literal('withdrawn') }, closed),
  ]),
);

/**
 * An event from the fields of its entry in the stream.
 *
 * @throws DomainError `release_mismatch` for one of a newer release
 * @throws Error for one that no release has written
 */
export function readEvent(owner: string, id: string, pairs: readonly string[]): JobEvent {
  const fields: Record<string, string> = {};
  for (let at = 0; at + 1 < pairs.length; at += 2) fields[pairs[at]!] = pairs[at + 1]!;
  const version = Number(fields['v']);
  if (Number.isInteger(version) && version > EVENT_VERSION)
    throw newerRelease(`event ${id}`, version, EVENT_VERSION);
  const { job } = fields;
  if (job === undefined || !validator.Check(fields)) throw new Error(`event ${id} cannot be read`);
  return { id, job: { owner, id: job }, ...happeningOf(fields) };
}

/** @param fields as the schema has let them through */
function happeningOf(fields: Readonly<Record<string, string>>): Happening {
  const number = (name: string): number => Number(fields[name]);
  switch (fields['type']) {
    case 'status': {
      const status = fields['status'] as StoredStatus;
      const counts = Object.fromEntries(COUNTED.map((name) => [name, number(name)])) as unknown as EndCounts;
      return { type: 'status', status, counts: hasEnded(status) ? counts : null };
    }
    case 'bound':
      return { type: 'bound', binding: number('binding'), engine: engineFormat.read(fields['engine']!) };
    case 'round':
      return { type: 'round', binding: number('binding'), round: number('round') };
    case 'input':
      return { type: 'input', input: number('input'), outcome: fields['outcome'] as InputOutcome };
    default:
      return { type: 'withdrawn' };
  }
}
