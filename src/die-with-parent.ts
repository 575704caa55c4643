import { findExecutable } from './find-executable.ts';
import { type Launch, launchAsItIs } from './launch.ts';
import { runCommand } from './run-command.ts';

/** What was found for each search path: asking costs a process. */
const found = new Map<string, Promise<Launch>>();

/**
 * How to start a program that does not outlive this process, whatever it does and from its first instruction on: turns a
 * command line into one that does it.
 *
 * On Linux with util-linux the kernel kills the program when the thread that starts it ends, so start it from the main
 * thread. SIGKILL, not SIGTERM: a program that is loading a library or waits for a driver hears nothing else, and none of
 * ours has anything to save: Redis syncs every acknowledged write, and draws are repeated. Elsewhere the command line comes
 * back unchanged; a device host then ends with its channel, and a server left by a killed owner is stopped by the next start
 * on its data.
 *
 * @param searchPath where setpriv is looked for, written like PATH
 */
export function dieWithParent(searchPath: string): Promise<Launch> {
  const known = found.get(searchPath) ?? findLaunch(searchPath);
  found.set(searchPath, known);
  return known;
}

async function findLaunch(searchPath: string): Promise<Launch> {
  const setpriv = process.platform === 'linux' ? findExecutable(['setpriv'], searchPath) : null;
  // BusyBox and util-linux before 2.33 have a setpriv without this option.
  const works =
    setpriv !== null && (await runCommand(setpriv, ['--pdeathsig', 'KILL', '/bin/sh', '-c', ':'])).ok;
  if (!works) return launchAsItIs;
  // The signal is asked for by the child itself: if this process dies before that, nobody will send it. The shell, which
  // runs after, sees by its parent whether that has happened.
  const unlessOrphaned = `[ "$PPID" = ${process.pid} ] && exec "$@"`;
  return (executable, args) => ({
    executable: setpriv,
    args: ['--pdeathsig', 'KILL', '/bin/sh', '-c', unlessOrphaned, 'sh', executable, ...args],
  });
}
