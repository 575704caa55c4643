/** A stream to write text to; `isTTY` and `columns` where a person reads it. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Where a command writes: what it was asked for on `stdout`, everything about its course on `stderr`. */
export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
}

/** Writes one line, or several in one piece. */
export function writeLine(output: Output, text: string): void {
  output.write(`${text}\n`);
}
