import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Installs the build in a folder that does not exist, beside every package that is installed here but TensorFlow's native
 * binding, an optional dependency.
 *
 * @param root of the checkout that is installed
 */
export async function installWithoutBinding(folder: string, root = ROOT): Promise<void> {
  const link = async (...parts: string[]): Promise<void> =>
    symlink(join(root, 'node_modules', ...parts), join(folder, 'node_modules', ...parts));
  await mkdir(join(folder, 'node_modules', '@tensorflow'), { recursive: true });
  await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  for (const name of await readdir(join(root, 'node_modules'))) if (name !== '@tensorflow') await link(name);
  for (const name of await readdir(join(root, 'node_modules', '@tensorflow')))
    if (name !== 'tfjs-node-gpu') await link('@tensorflow', name);
}
