import type { Command } from 'commander';
import type { Starters } from '../starters.ts';
import type { Terminal } from '../terminal.ts';
export function addDemoCommand(
  _p: Command,
  _c: { starters: Starters; terminal: Terminal; end: (code: number) => void },
): void {}
