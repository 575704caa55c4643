/** A number that a graph computes of shapes: `rows`·N + `plus`, where N is the number of rows in the batch. */
export interface Size {
  readonly rows: number;
  readonly plus: number;
}

export const size = (plus: number, rows = 0): Size => ({ rows, plus });

export const isNumber = (value: Size): boolean => value.rows === 0;

/** The number that it is for every batch, or null. */
export const numberOf = (value: Size | null | undefined): number | null =>
  value != null && value.rows === 0 ? value.plus : null;

export const add = (a: Size, b: Size): Size => size(a.plus + b.plus, a.rows + b.rows);

export const subtract = (a: Size, b: Size): Size => size(a.plus - b.plus, a.rows - b.rows);

/** Null where it is no longer linear in N. */
export function multiply(a: Size, b: Size): Size | null {
  if (a.rows !== 0 && b.rows !== 0) return null;
  return size(a.plus * b.plus, a.rows * b.plus + a.plus * b.rows);
}

/** @param whole whether it is a division of integers, which drops the remainder. Null where the result is not known. */
export function divide(a: Size, b: Size, whole: boolean): Size | null {
  if (b.rows !== 0) return a.rows * b.plus === b.rows * a.plus ? size(a.rows / b.rows) : null;
  if (b.plus === 0) return null;
  const [plus, rows] = [a.plus / b.plus, a.rows / b.plus];
  if (!whole) return size(plus, rows);
  if (rows === 0) return size(Math.trunc(plus));
  return Number.isInteger(plus) && Number.isInteger(rows) ? size(plus, rows) : null;
}

/** Whether the two are the same number: for every N of at least 1, for none, or null where N decides. */
export function equal(a: Size, b: Size): boolean | null {
  const { rows, plus } = subtract(a, b);
  if (rows === 0) return plus === 0;
  const solution = -plus / rows;
  return Number.isInteger(solution) && solution >= 1 ? null : false;
}

/** Whether a < b: for every N of at least 1, for none, or null where N decides. */
export function less(a: Size, b: Size): boolean | null {
  const { rows, plus } = subtract(b, a);
  const first = rows + plus;
  if (rows === 0) return first > 0;
  if (rows > 0) return first > 0 ? true : null;
  return first <= 0 ? false : null;
}

export const same = (a: Size, b: Size): boolean => a.rows === b.rows && a.plus === b.plus;
