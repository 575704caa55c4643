/**
 * A number that nvidia-smi prints, or null where it prints `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `ERR!` or the
 * like instead. Undefined for what is neither.
 */
export function smiNumber(text: string): number | null | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  return isMissing(text) ? null : undefined;
}

/** Whether nvidia-smi says by this value that it has none. */
export function isMissing(text: string): boolean {
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
