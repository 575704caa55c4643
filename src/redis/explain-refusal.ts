/** What a server says at times, and what it means to whoever runs it. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/\bMISCONF\b.*No space left|No space left on device/is, 'the disk of Redis is full'],
  [/\bMISCONF\b/, 'Redis cannot write to its disk'],
  [/\bOOM\b/, 'Redis is at its limit of memory (maxmemory)'],
  [/\bREADONLY\b/, 'Redis is a replica that takes no writes'],
  [/\bLOADING\b/, 'Redis is still loading its data'],
  [/\bNOPERM\b/, 'the user of Redis lacks a right'],
  [/\b(NOAUTH|WRONGPASS)\b/, 'Redis does not accept the name or the password'],
];

/**
 * Why a server that answers does not do what it is asked, with its own words; null for other errors. A transaction's error says
 * nothing; that of the command in it does.
 */
export function explainRefusal(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { previousErrors = [] } = error as Error & { previousErrors?: readonly Error[] };
  for (const { message } of [...previousErrors, error]) {
    const meaning = MEANINGS.find(([pattern]) => pattern.test(message))?.[1];
    if (meaning !== undefined) return `${meaning} (${message.trim()})`;
  }
  return error.cause === undefined ? null : explainRefusal(error.cause);
}
