import { findExecutable } from '../../find-executable.ts';
import { runCommand } from './run-command.ts';

export interface LaunchCommand {
  readonly executable: string;
  readonly args: readonly string[];
}

/**
 * How to start a program that does not outlive this process: turns a command line into one that does it.
 *
 * On Linux with util-linux the kernel kills the program when the thread that starts it ends, so start it from the main
 * thread. SIGKILL, not SIGTERM: every acknowledged write is synced, so nothing is lost, and nothing is left that holds
 * the append-only file for a moment longer while the next owner is already starting. Elsewhere the command line comes
 * back unchanged, and a server left by a killed owner is stopped by the next start on its data.
 */
export async function dieWithParent(
  searchPath: string,
): Promise<(executable: string, args: readonly string[]) => LaunchCommand> {
  const setpriv = process.platform === 'linux' ? findExecutable(['setpriv'], searchPath) : null;
  // BusyBox and util-linux before 2.33 have a setpriv without this option.
  const works =
    setpriv !== null && (await runCommand(setpriv, ['--pdeathsig', 'KILL', '/bin/sh', '-c', ':'])).ok;
  if (!works) return (executable, args) => ({ executable, args });
  // The signal is asked for by the child itself: if this process dies before that, nobody will send it. The shell, which
  // runs after, sees by its parent whether that has happened.
  const unlessOrphaned = `[ "$PPID" = ${process.pid} ] && exec "$@"`;
  return (executable, args) => ({
    executable: setpriv,
    args: ['--pdeathsig', 'KILL', '/bin/sh', '-c', unlessOrphaned, 'sh', executable, ...args],
  });
}
