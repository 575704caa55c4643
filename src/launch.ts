/** What a process is started with. */
export interface LaunchCommand {
  readonly executable: string;
  readonly args: readonly string[];
}

/** Turns the command line of a program into the one that it is started by. */
export type Launch = (executable: string, args: readonly string[]) => LaunchCommand;

/** Starts a program as it is: it may outlive this process. */
export const launchAsItIs: Launch = (executable, args) => ({ executable, args });
