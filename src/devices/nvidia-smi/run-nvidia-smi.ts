import { type ChildProcess, execFile } from 'node:child_process';
import { type Launch, launchAsItIs } from '../../launch.ts';

/** nvidia-smi answered with something else than what it was asked; the message says what. */
export class NvidiaSmiError extends Error {
  override readonly name = 'NvidiaSmiError';
}

export interface NvidiaSmiOutput {
  /** Without empty lines, and without what surrounds each line's text on the right. */
  readonly lines: readonly string[];
  /** Null for success, or a sentence about the failure. */
  readonly failure: string | null;
}

const MOST_OUTPUT_BYTES = 1024 * 1024;
const MOST_QUOTED = 300;

/**
 * Calls that are past their limit and still there: a process that waits for a broken driver in the kernel cannot be killed,
 * and asking again each few seconds would fill the machine with them.
 */
const stuck = new Map<string, ChildProcess>();

/**
 * Asks nvidia-smi. A failure is an answer, since its lines may still tell of the GPUs that are well.
 *
 * @param executable absolute path
 * @throws NvidiaSmiError where it cannot be started, gives no answer within the limit or too long a one
 */
export function runNvidiaSmi(
  executable: string,
  args: readonly string[],
  timeoutMilliseconds: number,
  launch: Launch = launchAsItIs,
): Promise<NvidiaSmiOutput> {
  return new Promise((resolve, reject) => {
    if (stuck.has(executable)) {
      reject(new NvidiaSmiError(`an earlier call of ${executable} still hangs`));
      return;
    }
    const options = { maxBuffer: MOST_OUTPUT_BYTES, killSignal: 'SIGKILL' } as const;
    const command = launch(executable, args);
    const child = execFile(command.executable, command.args, options, (error, stdout, stderr) => {
      clearTimeout(timer);
      stuck.delete(executable);
      const lines = textLines(stdout);
      if (error === null) return resolve({ lines, failure: null });
      // It writes most of its complaints to standard output.
      const said = quote([...textLines(stderr), ...lines].join(' '));
      if (typeof error.code === 'number') {
        const words = said === '' ? 'and said nothing' : `and said: ${said}`;
        return resolve({ lines, failure: `${executable} ended with status ${error.code} ${words}` });
      }
      return reject(new NvidiaSmiError(`${executable} cannot be used: ${quote(error.message)}`));
    });
    const timer = setTimeout(() => {
      stuck.set(executable, child);
      child.kill('SIGKILL');
      // Nothing of it keeps this process alive.
      child.unref();
      child.stdout?.destroy();
      child.stderr?.destroy();
      reject(new NvidiaSmiError(`${executable} gave no answer within ${timeoutMilliseconds / 1000} s`));
    }, timeoutMilliseconds);
  });
}

function textLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}

/** Foreign text for a message of ours: one line, of bounded length. */
export function quote(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > MOST_QUOTED ? `${line.slice(0, MOST_QUOTED)}…` : line;
}
