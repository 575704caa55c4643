import type { Starters } from './starters.ts';
import type { Terminal } from './terminal.ts';

/** What the commands need from outside. */
export interface CommandContext {
  readonly starters: Starters;
  readonly terminal: Terminal;
  /** Says which status the command line ends with, unless it ends with an error. */
  readonly end: (code: number) => void;
}
