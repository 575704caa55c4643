#!/usr/bin/env node
import { followNpm } from '../cli/follow-npm.ts';
import { runProgram } from '../cli/program.ts';
import type { Starters } from '../cli/starters.ts';
import { startedByNpm } from '../config/env.ts';

const { stdout, stderr } = process;
let unwritten = false;
stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head`) is no error; what a full disk swallows is, but none to stop a service for.
  if (error.code === 'EPIPE' || unwritten) return;
  unwritten = true;
  process.exitCode = 1;
  stderr.write(`smoothcert: the output cannot be written: ${error.message}\n`);
});
stderr.on('error', () => undefined);
if (startedByNpm()) followNpm();
// Loaded when they are started: the calculators need no server, and answer in half the time without one.
const starters: Starters = {
  startApi: async (...options) => (await import('./api.ts')).startApi(...options),
  startWorker: async (...options) => (await import('./worker.ts')).startWorker(...options),
  startStandalone: async (...options) => (await import('./standalone.ts')).startStandalone(...options),
  startTrial: async (...options) => (await import('./model-trial.ts')).startTrial(...options),
};
const status = await runProgram(process.argv.slice(2), starters, { stdout, stderr });
process.exitCode = unwritten ? 1 : status;
