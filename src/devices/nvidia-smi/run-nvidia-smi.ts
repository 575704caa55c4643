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

/**
 * Whether a line stands for a GPU that the driver can no longer reach: its complaint, or a row in which every value is one.
 * nvidia-smi prints either among the rows of the GPUs that are well.
 */
export function isBrokenGpu(line: string): boolean {
  return (
    /^Unable to determine the device handle for gpu/i.test(line) ||
    /^\[(GPU is lost|Unknown Error)\](, \[(GPU is lost|Unknown Error)\])*$/.test(line)
  );
}

/**
 * A number that nvidia-smi prints, or null where it prints `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `ERR!` or the
 * like instead. Undefined for what is neither.
 */
export function smiNumber(text: string): number | null | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  return isMissing(text) ? null : undefined;
}

/** Whether nvidia-smi says by this value that it has none. */
function isMissing(text: string): boolean {
  return /^\[[A-Za-z/ ]+\]$|^N\/A$|^ERR!$/.test(text);
}

/** A value that nvidia-smi has none of because of a fault: not for want of a sensor or of the right to see it. */
export function isFault(text: string): boolean {
  return isMissing(text) && !/^\[?(N\/A|Not Supported|Not Found|Insufficient Permissions)\]?$/.test(text);
}

const MEBIBYTE = 1024 * 1024;

/** Memory as nvidia-smi prints it, in MiB, as bytes. */
export function mebibytes(value: number | null): number | null {
  return value === null ? null : value * MEBIBYTE;
}
