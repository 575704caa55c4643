/**
 * A shell script that becomes `executable` with `libraryDirectories` (all relative to the script's own folder)
 * searched first for shared libraries.
 *
 * It ends in `exec`, so that the process started is the server itself: its pid can be watched and signalled. It finds
 * itself by `$0`, and must therefore be called by its absolute path.
 */
export function wrapperScript(executable: string, libraryDirectories: readonly string[]): string {
  const path = libraryDirectories.map((directory) => `$here/${directory}`).join(':');
  const lines = ['#!/bin/sh', 'here=${0%/*}'];
  if (path !== '') {
    lines.push(`LD_LIBRARY_PATH="${path}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`, 'export LD_LIBRARY_PATH');
  }
  lines.push(`exec "$here/${executable}" "$@"`, '');
  return lines.join('\n');
}
