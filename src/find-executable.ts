import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * The absolute path of the first of `names` that is an executable file in a folder of `searchPath` (written like
 * PATH), or null. Names are tried in order over the whole path. Relative and empty entries of the path are skipped: what is
 * run must not depend on the current directory.
 */
export function findExecutable(names: readonly string[], searchPath: string): string | null {
  const directories = searchPath.split(delimiter).filter((directory) => isAbsolute(directory));
  for (const name of names) {
    for (const directory of directories) {
      const candidate = join(directory, name);
      if (isExecutableFile(candidate)) return candidate;
    }
  }
  return null;
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
