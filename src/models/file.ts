import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative } from 'node:path';
import { DomainError } from '../errors.ts';
import type { Manifest } from './manifest.ts';

/**
 * Reads a file of a model folder and checks that it is the one that the manifest means: inside the folder, with links
 * followed, and of the size and digest that are stated.
 *
 * @throws DomainError `model_invalid` or `model_digest_mismatch`
 */
export async function readModelFile(folder: string, stated: Manifest['files'][number]): Promise<Buffer> {
  const file = join(folder, stated.path);
  const real = await realpath(file).catch((cause: unknown) => {
    throw new DomainError('model_invalid', `${file} is missing`, [], { cause });
  });
  if (!staysInside(relative(await realpath(folder), real))) {
    throw new DomainError('model_invalid', `${stated.path} leads outside the model folder`);
  }
  const bytes = await readFile(real);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== stated.sha256 || bytes.length !== stated.bytes) {
    const found = `${bytes.length} bytes with SHA-256 ${digest}`;
    throw new DomainError(
      'model_digest_mismatch',
      `${file} has ${found}; the manifest says ${stated.bytes} bytes with ${stated.sha256}`,
    );
  }
  return bytes;
}

/** Whether a relative path, as written in a model, stays inside the folder it is resolved against. */
export function staysInside(path: string): boolean {
  if (path === '' || isAbsolute(path) || path.includes('\\')) return false;
  return !normalize(path).split('/').includes('..');
}
