// Completes package-lock.json after a change of dependencies.
//
// npm leaves an optional package out of a lockfile when the registry in use cannot serve its metadata (a mirror
// that lacks the builds for other platforms). `npm ci` then refuses the lockfile on every machine. The entries that
// are missing carry only facts that the parent's own manifest and the platform named in the package's name state:
// version, os, cpu, libc. They have no integrity: npm installs none of them here, and on a platform that needs
// one it takes the registry's digest.
//
// usage: node scripts/complete-lockfile.mjs [--check]     exit 1 with --check when entries are missing
import { readFileSync, writeFileSync } from 'node:fs';

const OS = {
  darwin: 'darwin',
  linux: 'linux',
  win32: 'win32',
  android: 'android',
  freebsd: 'freebsd',
  openbsd: 'openbsd',
  netbsd: 'netbsd',
  sunos: 'sunos',
  aix: 'aix',
  openharmony: 'openharmony',
};
const CPU = {
  x64: 'x64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: 'ia32',
  riscv64: 'riscv64',
  s390x: 's390x',
  ppc64: 'ppc64',
  loong64: 'loong64',
  wasm32: 'wasm32',
};
const LIBC = { gnu: 'glibc', glibc: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const missing = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const hoisted = `node_modules/${name}`;
    if (lock.packages[hoisted] || lock.packages[`${path}/${hoisted}`]) continue;
    if (!/^\d+\.\d+\.\d+[^ ]*$/.test(version))
      throw new Error(`${path} asks for ${name}@${version}: only exact versions can be completed`);
    const tokens = name.split(/[/-]/);
    const pick = (table) =>
      tokens
        .map((token) => table[token])
        .filter(Boolean)
        .slice(-1);
    const [os, cpu, libc] = [pick(OS), pick(CPU), pick(LIBC)];
    lock.packages[hoisted] = {
      version,
      ...(cpu.length ? { cpu } : {}),
      ...(entry.dev ? { dev: true } : {}),
      ...(libc.length ? { libc } : {}),
      optional: true,
      ...(os.length ? { os } : {}),
    };
    if (!os.length && !cpu.length) throw new Error(`${name}: its platform cannot be read from its name`);
    missing.push(`${name}@${version}`);
  }
}
const withAddress = Object.entries(lock.packages).filter(([, entry]) =>
  /^https?:/.test(entry.resolved ?? ''),
);
if (withAddress.length > 0)
  throw new Error(`download addresses recorded for ${withAddress.map(([path]) => path).join(', ')}`);
if (process.argv.includes('--check')) {
  if (missing.length > 0) {
    console.error(
      `package-lock.json lacks ${missing.length} optional packages; run: npm run lockfile\n  ${missing.join('\n  ')}`,
    );
    process.exit(1);
  }
  console.log('package-lock.json is complete');
} else {
  const sorted = Object.fromEntries(
    Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  );
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`);
  console.log(`package-lock.json: ${missing.length} optional packages added`);
}
