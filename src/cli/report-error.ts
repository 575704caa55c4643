import { DomainError, type ErrorCode, ERRORS, type Fault, messageOf } from '../errors.ts';
import { InterruptedError } from './interrupt.ts';

/**
 * Errors whose title speaks of a request: what is said of a command line stands in their sentence. Other sentences
 * repeat the faults.
 */
const OWN_SENTENCE: ReadonlySet<ErrorCode> = new Set(['validation_failed', 'cannot_certify']);

/** One fault as a line: where, and what is wrong and allowed. */
function faultLine({ pointer, detail }: Fault): string {
  return `  ${pointer === '' ? '' : `${pointer}: `}${detail}`;
}

/**
 * An error as the person at the terminal reads it: one sentence, then every fault on a line of its own. The stack only
 * where it was asked for, since it says nothing to whoever did not write the program.
 */
export function describeError(error: unknown, withStack: boolean): string {
  if (error instanceof InterruptedError) return 'smoothcert: interrupted';
  const sentence = messageOf(error);
  const lines =
    error instanceof DomainError && error.faults.length > 0
      ? [
          `smoothcert: ${OWN_SENTENCE.has(error.code) ? sentence : ERRORS[error.code].title}`,
          ...error.faults.map(faultLine),
        ]
      : [`smoothcert: ${sentence}`];
  if (withStack && error instanceof Error) lines.push(error.stack ?? '', ...causes(error));
  return lines.join('\n');
}

function causes(error: Error): string[] {
  const stacks: string[] = [];
  for (let { cause } = error; cause instanceof Error; { cause } = cause) {
    stacks.push(`caused by: ${cause.stack ?? cause.message}`);
  }
  return stacks;
}
