/** Inputs of a job that are looked at together: what is held of a job does not grow with the number of its inputs. */
const INPUTS_A_WINDOW = 256;

/** Consecutive inputs of a job: [first, first + count). */
export interface InputWindow {
  readonly first: number;
  readonly count: number;
}

/** All inputs of a job in parts, in order. */
export function* inputWindows(total: number): Generator<InputWindow> {
  for (let first = 0; first < total; first += INPUTS_A_WINDOW)
    yield { first, count: Math.min(INPUTS_A_WINDOW, total - first) };
}

/** The inputs of a window by index. */
export function inputsOf({ first, count }: InputWindow): number[] {
  return Array.from({ length: count }, (_, offset) => first + offset);
}
