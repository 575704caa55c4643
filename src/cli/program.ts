import { Command, CommanderError } from 'commander';
import { readConfig } from '../config/env.ts';
import { SOFTWARE } from '../version.ts';
import { addCertifyCommands } from './commands/certify.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addModelsCommand } from './commands/models.ts';
import { addRadiusCommand } from './commands/radius.ts';
import { addSampleSizeCommand } from './commands/sample-size.ts';
import { addServeCommands } from './commands/serve.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { describeError } from './report-error.ts';
import type { Starters } from './starters.ts';
import { type Terminal, writeLine } from './terminal.ts';

const EXIT_CODES = `
Exit status:
  0  everything is decided (abstentions included)
  1  some input, model or job failed
  2  the command line or a value on it is not allowed
  3  the service is not available
  130  interrupted (Ctrl-C)`;

/**
 * Runs the command line.
 *
 * @param args without the names of the interpreter and the program
 * @returns the exit status. A command that serves returns 0 once it runs, and ends the process when it is told to.
 */
export async function runProgram(
  args: readonly string[],
  starters: Starters,
  terminal: Terminal,
): Promise<number> {
  let status: number = EXIT.ok;
  const end = (code: number): void => void (status = code);
  const program = new Command('smoothcert')
    .description('Certified L2 radii for image classifiers by randomized smoothing.')
    .version(SOFTWARE.version)
    // What stands behind a command's name is that command's, or of one below it.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    })
    .addHelpText('after', EXIT_CODES);
  const context = { starters, terminal, end };
  addServeCommands(program, context);
  addCertifyCommands(program, context);
  addRadiusCommand(program, context);
  addSampleSizeCommand(program, context);
  addModelsCommand(program, context);
  addDemoCommand(program, context);
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    // Commander has written its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    writeLine(terminal.stderr, describeError(error, isDebugging()));
    return exitCodeOf(error);
  }
}

/** Whether LOG_LEVEL asks for details; an invalid environment asks for nothing. */
function isDebugging(): boolean {
  try {
    return ['debug', 'trace'].includes(readConfig().logLevel);
  } catch {
    return false;
  }
}
