import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Installs the build in a folder that does not exist, beside every package that is installed here but TensorFlow's native
 * binding, an optional dependency.
 */
export async function installWithoutBinding(folder: string): Promise<void> {
  const link = async (...parts: string[]): Promise<void> =>
    symlink(join(ROOT, 'node_modules', ...parts), join(folder, 'node_modules', ...parts));
  await mkdir(join(folder, 'node_modules', '@tensorflow'), { recursive: true });
  await cp(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  for (const name of await readdir(join(ROOT, 'node_modules'))) if (name !== '@tensorflow') await link(name);
  for (const name of await readdir(join(ROOT, 'node_modules', '@tensorflow')))
    if (name !== 'tfjs-node-gpu') await link('@tensorflow', name);
}
