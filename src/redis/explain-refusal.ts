/** What a server says at times, and what it means to whoever runs it. */
const MEANINGS: readonly (readonly [RegExp, string, passing: boolean])[] = [
  [/\bMISCONF\b.*No space left|No space left on device/is, 'the disk of Redis is full', true],
  [/\bMISCONF\b/, 'Redis cannot write to its disk', true],
  [/\bOOM\b/, 'Redis is at its limit of memory (maxmemory)', true],
  [/\bREADONLY\b/, 'Redis is a replica that takes no writes', true],
  [/\bLOADING\b/, 'Redis is still loading its data', true],
  [/\bNOPERM\b/, 'the user of Redis lacks a right', false],
  [/\b(NOAUTH|WRONGPASS)\b/, 'Redis does not accept the name or the password', false],
];

/** Why a server does not do what it is asked. */
export interface Refusal {
  /** In words for whoever runs it, with the server's own. */
  readonly reason: string;
  /** Whether it may do it later, as it is. */
  readonly passing: boolean;
}

/**
 * Why a server that answers does not do what it is asked; null for other errors. A transaction's error says nothing;
 * that of the command in it does.
 */
export function explainRefusal(error: unknown): Refusal | null {
  if (!(error instanceof Error)) return null;
  const { previousErrors = [] } = error as Error & { previousErrors?: readonly Error[] };
  for (const { message } of [...previousErrors, error]) {
    const [, meaning, passing = false] = MEANINGS.find(([pattern]) => pattern.test(message)) ?? [];
    if (meaning !== undefined) return { reason: `${meaning} (${message.trim()})`, passing };
  }
  return error.cause === undefined ? null : explainRefusal(error.cause);
}
