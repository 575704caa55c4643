/**
 * How long a test waits at most for something to happen: a process to start, a job to end, a server to answer. It bounds a
 * failure and never lengthens a success, so it is far above what a busy machine needs.
 */
export const WAIT_LIMIT_MS = 120_000;

/** Limit of a test, and of a hook: above several waits, so that what is told is what was waited for. */
export const TEST_LIMIT_MS = 5 * WAIT_LIMIT_MS;
