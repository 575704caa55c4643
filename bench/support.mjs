// The tools that the benches share with the tests, compiled into bench/.build.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Compiles them; `support` imports what is compiled. */
export function buildSupport() {
  const [compiler, project] = ['../node_modules/typescript/bin/tsc', '.'].map((each) =>
    fileURLToPath(new URL(each, import.meta.url)),
  );
  execFileSync(process.execPath, [compiler, '-p', project]);
}

/** A module of test/support, by its path there without an ending. */
export async function support(name) {
  return import(new URL(`.build/test/support/${name}.js`, import.meta.url));
}
