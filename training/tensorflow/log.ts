import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a line to the console and to the log. */
export type Log = (line: string) => void;

/** A log in a new file, in place of an older one of that name. */
export function createLog(path: string): Log {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  return (line) => {
    console.log(line);
    appendFileSync(path, `${line}\n`);
  };
}
