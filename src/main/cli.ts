#!/usr/bin/env node
import { runProgram } from '../cli/program.ts';
import type { Starters } from '../cli/starters.ts';

const { stdout, stderr } = process;
// A reader that has seen enough (`| head`) is no error.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
// Loaded when they are started: the calculators need no server, and answer in half the time without one.
const starters: Starters = {
  startApi: async (...options) => (await import('./api.ts')).startApi(...options),
  startWorker: async (...options) => (await import('./worker.ts')).startWorker(...options),
  startStandalone: async (...options) => (await import('./standalone.ts')).startStandalone(...options),
};
process.exitCode = await runProgram(process.argv.slice(2), starters, { stdout, stderr });
