import { CUTPOINT_ONE, type Cutpoints } from './cutpoints.ts';
import { MAX_NOISE } from './limits.ts';
import { NoiseRangeError } from './noise-range-error.ts';

/** A law in the form that the kernel searches. */
export interface LawTable {
  readonly kmin: number;
  readonly kmax: number;
  /** For each first digit: K, or UNDECIDED + the least K possible if a cutpoint lies strictly inside its range. */
  readonly firstDigit: Int16Array;
  /** Top 32 bits of C_kmin … C_kmax, then a guard that no digit exceeds. */
  readonly high: Uint32Array;
  /** Low 64 bits of C_kmin … C_kmax. */
  readonly low: BigUint64Array;
}

/** The kernel's mark; any mark + K is above MAX_NOISE and below 2¹⁵. */
const UNDECIDED = 16384;
const FIRST_DIGITS = 65536;
const FIRST_DIGIT_SHIFT = 80n;
const REST_MASK = (1n << FIRST_DIGIT_SHIFT) - 1n;
const HIGH_SHIFT = 64n;
const GUARD = 0xffffffff;

const tables = new WeakMap<Cutpoints, LawTable>();

/**
 * The table of a law. A frozen law, such as `gaussianCutpoints` gives, is remembered as long as it lives, so that
 * switching between laws costs nothing; another one is read anew each time, for it may have changed.
 *
 * @throws {NoiseRangeError} if the cutpoints are not a law, see `Cutpoints`, or |K| can exceed 8191
 */
export function lawTable(law: Cutpoints): LawTable {
  const known = tables.get(law);
  if (known !== undefined) return known;
  requireLaw(law);
  const table = build(law);
  if (Object.isFrozen(law) && Object.isFrozen(law.values)) tables.set(law, table);
  return table;
}

function requireLaw({ kmin, kmax, values }: Cutpoints): void {
  const inRange = Number.isInteger(kmin) && Number.isInteger(kmax) && -MAX_NOISE <= kmin && kmax <= MAX_NOISE;
  if (!inRange || kmin > kmax) {
    throw new NoiseRangeError(
      'kmin and kmax',
      `${kmin} and ${kmax}`,
      `integers in order, within ±${MAX_NOISE}`,
    );
  }
  if (values.length !== kmax - kmin + 2) {
    throw new NoiseRangeError('number of cutpoints', values.length, `kmax - kmin + 2 = ${kmax - kmin + 2}`);
  }
  if (values[0] !== 0n || values.at(-1) !== CUTPOINT_ONE) {
    throw new NoiseRangeError('cutpoints', `${values[0]} to ${values.at(-1)}`, 'from 0 to 2^96');
  }
  if (values.at(-2) === CUTPOINT_ONE) {
    throw new NoiseRangeError('kmax', kmax, 'the largest k with C_k below 2^96');
  }
  for (let i = 1; i < values.length; i++) {
    if (values[i]! < values[i - 1]!) {
      throw new NoiseRangeError('cutpoints', `C_${kmin + i} < C_${kmin + i - 1}`, 'in order');
    }
  }
}

function build({ kmin, kmax, values }: Cutpoints): LawTable {
  const count = kmax - kmin + 1;
  const high = new Uint32Array(count + 1);
  const low = new BigUint64Array(count);
  const firstDigit = new Int16Array(FIRST_DIGITS);
  let from = 0; // first digits below `from` are filled
  for (let i = 0; i < count; i++) {
    const cutpoint = values[i]!;
    high[i] = Number(cutpoint >> HIGH_SHIFT);
    low[i] = BigInt.asUintN(64, cutpoint);
    const next = values[i + 1]!;
    const whole = Number(next >> FIRST_DIGIT_SHIFT);
    // first digits wholly below the next cutpoint give at most kmin + i
    if (whole > from) firstDigit.fill(kmin + i, from, whole);
    from = Math.max(from, whole);
    const cutInside = (next & REST_MASK) !== 0n;
    if (cutInside && from === whole) {
      firstDigit[whole] = UNDECIDED + kmin + i;
      from = whole + 1;
    }
  }
  high[count] = GUARD;
  return { kmin, kmax, firstDigit, high, low };
}
