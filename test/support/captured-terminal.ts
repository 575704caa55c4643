import { Writable } from 'node:stream';
import type { Output, Terminal } from '../../src/cli/terminal.ts';

/** An output that keeps what is written to it. */
export interface CapturedOutput extends Output {
  text(): string;
  lines(): string[];
}

/** A terminal, or a file where `isTTY` is false, that keeps its text. */
export function captureOutput(isTTY = false): CapturedOutput {
  let text = '';
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return Object.assign(stream, {
    isTTY,
    columns: 100,
    text: () => text,
    lines: () => text.split('\n').filter((line) => line !== ''),
  });
}

/** Both streams of a command. */
export function captureTerminal(): Terminal & { stdout: CapturedOutput; stderr: CapturedOutput } {
  return { stdout: captureOutput(), stderr: captureOutput() };
}
