#!/usr/bin/env node
import { runProgram } from '../cli/program.ts';
import { startApi } from './api.ts';
import { startStandalone } from './standalone.ts';
import { startWorker } from './worker.ts';

const { stdout, stderr } = process;
// A reader that has seen enough (`| head`) is no error.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
const starters = { startApi, startWorker, startStandalone };
process.exitCode = await runProgram(process.argv.slice(2), starters, { stdout, stderr });
