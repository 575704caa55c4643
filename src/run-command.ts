import { execFile } from 'node:child_process';
import { type Launch, launchAsItIs } from './launch.ts';

export interface CommandResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** What the command said when it failed, on one line; empty when it succeeded. */
  readonly fault: string;
}

export interface CommandOptions {
  readonly directory?: string;
  readonly timeoutMs?: number;
  /** How it is started; as it is unless given. */
  readonly launch?: Launch;
}

/**
 * Runs a program to its end with the environment of this process and never throws: a program that is absent, fails
 * or runs past its limit (60 s unless told otherwise) answers `ok: false`.
 */
export function runCommand(
  executable: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const command = (options.launch ?? launchAsItIs)(executable, args);
    execFile(
      command.executable,
      command.args,
      {
        ...(options.directory === undefined ? {} : { cwd: options.directory }),
        timeout: options.timeoutMs ?? 60_000,
        killSignal: 'SIGKILL',
        maxBuffer: 4 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve({ ok: true, stdout, fault: '' });
          return;
        }
        const lastLine = stderr.trim().split('\n').at(-1) ?? '';
        const reason = error.killed === true ? 'it took too long' : lastLine || error.message;
        resolve({ ok: false, stdout, fault: reason.trim() });
      },
    );
  });
}
