import { type TSchema, Type } from 'typebox';

/** A value that nobody changes, all the way down: what a schema says of it is true as long as it lives. */
export type Immutable<Value> = Value extends object
  ? { readonly [Name in keyof Value]: Immutable<Value[Name]> }
  : Value;

/** A value or null. */
export const Nullable = <Schema extends TSchema>(schema: Schema, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });

/** One of several strings. */
export const OneOf = <const Value extends string>(values: Value[], options: object = {}) =>
  Type.Enum(values, { type: 'string', ...options });

/** How a bound on the class's probability becomes a radius; shared, so that it is one schema to generated clients. */
export const Bound = OneOf(['pA', 'pA-pB'], {
  title: 'Bound',
  description:
    "form of Theorem 1: from the top class's bound alone (pA, also without it), or with one of the others too",
});

/** What votes say of a radius. */
export const CertificateOutcome = OneOf(['certified', 'abstained'], { title: 'CertificateOutcome' });

/** What alpha is a bound of. */
export const FAILURE_PROBABILITY =
  'failure probability of each input at each attempt: of 1,000 certificates at 0.001 up to one wrong one is to be expected, and the best of m attempts is wrong with up to m times alpha';

/** A point in time. */
export const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });

/** A digest. */
export const Sha256 = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256, 64 hexadecimal digits',
});
