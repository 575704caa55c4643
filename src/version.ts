import { readFileSync } from 'node:fs';

/** The product's name and version, as certificates and the API state them. */
export interface Software {
  readonly name: string;
  readonly version: string;
}

/** Read from package.json, which stands one folder above this file in the sources and in the build. */
export const SOFTWARE: Software = (() => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { name, version } = JSON.parse(text) as Software;
  return Object.freeze({ name, version });
})();
