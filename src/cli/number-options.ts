import type { Fault } from '../errors.ts';

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A decimal number, or NaN for any other text: `Number` alone takes '' for 0 and reads hexadecimal. */
export function parseDecimal(text: string): number {
  return DECIMAL.test(text.trim()) ? Number(text) : Number.NaN;
}

/** What values an option takes. */
export interface NumberRange {
  readonly minimum: number;
  readonly maximum: number;
  readonly integer: boolean;
}

/** The values of several numeric options, and all that is wrong with them. */
export class NumberOptions {
  readonly faults: Fault[] = [];
  readonly #texts: Readonly<Record<string, string | undefined>>;

  /** @param texts what was written, by the name of the option without its dashes, in camel case */
  constructor(texts: Readonly<Record<string, string | undefined>>) {
    this.#texts = texts;
  }

  /** An option that must be there. NaN after a fault. */
  required(flag: string, range: NumberRange): number {
    const value = this.optional(flag, range);
    if (value !== undefined) return value;
    this.faults.push({ pointer: `--${flag}`, detail: `is required: ${wording(range)}` });
    return Number.NaN;
  }

  /** An option that may be left out. NaN after a fault. */
  optional(flag: string, range: NumberRange): number | undefined {
    const text = this.#texts[flag.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    if (text === undefined) return undefined;
    const value = parseDecimal(text);
    const { minimum, maximum, integer } = range;
    if (value >= minimum && value <= maximum && (!integer || Number.isInteger(value))) return value;
    this.faults.push({ pointer: `--${flag}`, detail: `must be ${wording(range)}; got ${text}` });
    return Number.NaN;
  }
}

function wording({ minimum, maximum, integer }: NumberRange): string {
  return `${integer ? 'an integer' : 'a number'} from ${minimum} to ${maximum}`;
}
