// Compiles src/random/noise-kernel.as.ts to src/random/noise-kernel.wasm.ts, a module with the bytes as a string, so
// that neither the build nor users need AssemblyScript. With --check nothing is written and a difference is an error.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = 'src/random/noise-kernel.as.ts';
const TARGET = 'src/random/noise-kernel.wasm.ts';

// The memory is the caller's, who knows how much rows and image need; 6 pages are the kernel's own part.
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory'];

async function compile() {
  let wasm;
  let messages = '';
  const { error } = await main([SOURCE, '--outFile', 'kernel.wasm', ...OPTIONS], {
    readFile: (name, base) => readFile(join(base, name), 'utf8').catch(() => null),
    writeFile: (name, contents) => {
      if (name === 'kernel.wasm') wasm = contents;
    },
    listFiles: () => [],
    stderr: { write: (text) => (messages += text) },
  });
  if (error || wasm === undefined)
    throw new Error(`the kernel does not compile\n${messages}`, { cause: error });
  return wasm;
}

async function generate() {
  const lines = Buffer.from(await compile())
    .toString('base64')
    .match(/.{1,100}/g)
    .map((line) => `  '${line}'`);
  return (
    `// Generated from ${SOURCE} by \`npm run kernel\`; do not edit.\n` +
    `export const NOISE_KERNEL_WASM =\n${lines.join(' +\n')};\n`
  );
}

process.chdir(root);
const generated = await generate();
if (process.argv.includes('--check')) {
  if ((await readFile(TARGET, 'utf8')) !== generated) {
    console.error(`${TARGET} differs from what ${SOURCE} gives: npm run kernel`);
    process.exitCode = 1;
  }
} else {
  await writeFile(TARGET, generated);
  console.log(`${TARGET}: ${generated.length} characters`);
}
