import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// The directions in which parts may import each other, read from the sources themselves: a rule of the linter that is
// switched off, in its configuration or by a comment, is still kept here.

const SOURCES = fileURLToPath(new URL('../src', import.meta.url));

/** Names that say nothing of what a file holds. */
const EMPTY_NAME = /^(utils?|helpers?|common|types?|index|misc|shared)(\.|$)/;

interface Source {
  /** Relative to src, with slashes. */
  readonly path: string;
  /** The first folder, or the file's name for a file of src itself. */
  readonly part: string;
  readonly text: string;
  /** Packages and `node:` modules that it names. */
  readonly packages: readonly string[];
  /** Files of src that it names, relative to src. */
  readonly files: readonly string[];
}

/** What a source imports: statically, dynamically, for types or to export again; comments are left out. */
function importsOf(text: string): string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const patterns = [
    /\bfrom\s*['"]([^'"]+)['"]/g,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\s*\(\s*['"]([^'"]+)['"]\s*\)/g,
    /\brequire(?:\.resolve)?\s*\(\s*['"]([^'"]+)['"]\s*\)/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1]!));
}

const sources: Source[] = readdirSync(SOURCES, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.as.ts'))
  .map((entry) => {
    const file = join(entry.parentPath, entry.name);
    const path = relative(SOURCES, file);
    const text = readFileSync(file, 'utf8');
    const imports = importsOf(text);
    return {
      path,
      part: path.split('/')[0]!,
      text,
      packages: imports.filter((name) => !name.startsWith('.')),
      files: imports
        .filter((name) => name.startsWith('.'))
        .map((name) => posix.join(posix.dirname(path), name)),
    };
  });

/** `importer -> imported` for every import of `part` that `allowed` does not hold. */
function violations(part: string, allowed: (imported: string) => boolean): string[] {
  return sources
    .filter((source) => source.part === part)
    .flatMap(({ path, files }) => files.filter((file) => !allowed(file)).map((file) => `${path} -> ${file}`));
}

const within =
  (...parts: readonly string[]) =>
  (file: string): boolean =>
    parts.includes(file.split('/')[0]!);

/** Files that name a package, or one of its parts. */
function importersOf(name: RegExp): Source[] {
  return sources.filter(({ packages }) => packages.some((each) => name.test(each)));
}

describe('what is read here', () => {
  it('are the sources, with every kind of import', () => {
    expect(sources.length).toBeGreaterThan(80);
    const text = `
      import a from './a.ts';
      import { b,
        c } from "b";
      import type { D } from './d.ts';
      import 'e';
      export { f } from './f.ts';
      const g = await import('./g.ts');
      const h = require('h') as H;
      // import i from 'i';
      /* import j from 'j'; */
    `;
    expect(importsOf(text).sort()).toEqual(['./a.ts', './d.ts', './f.ts', './g.ts', 'b', 'e', 'h']);
  });

  it('name files that exist, by their full name', () => {
    const missing = sources.flatMap(({ path, files }) =>
      files
        .filter((file) => !file.startsWith('..') && !existsSync(join(SOURCES, file)))
        .map((file) => `${path} -> ${file}`),
    );
    expect(missing).toEqual([]);
  });

  it('stay inside src', () => {
    const outside = sources.filter(({ files }) => files.some((file) => file.startsWith('..')));
    expect(outside.map(({ path }) => path)).toEqual([]);
  });
});

describe('the directions of imports', () => {
  const ALLOWED: Readonly<Record<string, readonly string[]>> = {
    statistics: ['statistics'],
    random: ['random'],
    smoothing: ['smoothing', 'statistics', 'random', 'errors.ts'],
    inference: [
      'inference',
      'smoothing',
      'statistics',
      'random',
      'errors.ts',
      'logger.ts',
      'find-executable.ts',
    ],
    'errors.ts': [],
    'logger.ts': [],
    'find-executable.ts': [],
    'version.ts': [],
  };
  for (const [part, allowed] of Object.entries(ALLOWED)) {
    it(`${part} imports ${allowed.length === 0 ? 'no other file' : `only ${allowed.join(', ')}`}`, () => {
      expect(sources.some((source) => source.part === part)).toBe(true);
      expect(violations(part, within(...allowed))).toEqual([]);
    });
  }

  it('jobs imports neither api, cli, main nor the environment', () => {
    expect(violations('jobs', (file) => !within('api', 'cli', 'main', 'config')(file))).toEqual([]);
  });

  it('api imports neither cli nor main', () => {
    expect(violations('api', (file) => !within('cli', 'main')(file))).toEqual([]);
  });

  it('nothing imports main but main itself', () => {
    const importers = sources.filter(({ part, files }) => part !== 'main' && files.some(within('main')));
    expect(importers.map(({ path }) => path)).toEqual([]);
  });

  it('never goes in circles between parts', () => {
    const order = ['statistics', 'random', 'smoothing', 'inference', 'jobs', 'api', 'cli', 'main'];
    for (const [level, part] of order.entries()) {
      const above = order.slice(level + 1);
      expect(
        violations(part, (file) => !within(...above)(file)),
        part,
      ).toEqual([]);
    }
  });
});

describe('packages', () => {
  it('are not known to statistics, random, smoothing and errors, nor is Node', () => {
    const pure = sources.filter(({ part }) =>
      ['statistics', 'random', 'smoothing', 'errors.ts'].includes(part),
    );
    expect(pure.filter(({ packages }) => packages.length > 0).map(({ path }) => path)).toEqual([]);
  });

  const HOMES: readonly (readonly [string, RegExp, readonly string[]])[] = [
    ['bullmq and ioredis', /^(bullmq|ioredis)($|\/)/, ['jobs']],
    ['fastify', /^(fastify|@fastify\/.*)($|\/)/, ['api']],
    ['node:http and node:https servers', /^node:https?$/, ['api', 'cli']],
    ['onnxruntime-node', /^onnxruntime-/, ['inference']],
    ['TensorFlow.js', /^@tensorflow\//, ['inference']],
    ['sharp', /^sharp$/, ['inference', 'cli']],
    ['commander', /^commander$/, ['cli', 'main']],
  ];
  for (const [name, pattern, homes] of HOMES) {
    it(`${name}: only in ${homes.join(' and ')}`, () => {
      const strangers = importersOf(pattern).filter(({ part }) => !homes.includes(part));
      expect(strangers.map(({ path }) => path)).toEqual([]);
    });
  }

  it('are all dependencies of the product', () => {
    const manifest = readFileSync(join(dirname(SOURCES), 'package.json'), 'utf8');
    const { dependencies, optionalDependencies } = JSON.parse(manifest) as Record<
      'dependencies' | 'optionalDependencies',
      Record<string, string>
    >;
    const declared = { ...dependencies, ...optionalDependencies };
    const names = new Set(sources.flatMap(({ packages }) => packages));
    const undeclared = [...names]
      .filter((name) => !name.startsWith('node:'))
      .map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      )
      .filter((name) => !(name in declared));
    expect(undeclared).toEqual([]);
  });
});

describe('the environment', () => {
  it('is read in config/env.ts alone', () => {
    const readers = sources.filter(({ text }) => /\bprocess\s*(\.env\b|\[\s*['"]env['"])/.test(text));
    expect(readers.map(({ path }) => path)).toEqual(['config/env.ts']);
    const destructured = sources.filter(({ text }) => /\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(text));
    expect(destructured.map(({ path }) => path)).toEqual([]);
  });
});

describe('files', () => {
  it('are named after what they hold: no utils, helpers, common, types, no barrels', () => {
    const empty = sources.map(({ path }) => path).filter((path) => EMPTY_NAME.test(posix.basename(path)));
    expect(empty).toEqual([]);
  });

  it('are never barrels under another name: a file that only exports what others hold', () => {
    const barrels = sources.filter(({ path, text }) => {
      const statements = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '').trim();
      const own = statements.replaceAll(
        /export\s+(type\s+)?(\*|\{[^}]*\})[^;]*\bfrom\s*['"][^'"]+['"];/g,
        '',
      );
      return statements !== '' && own.trim() === '' && !path.endsWith('.d.ts');
    });
    expect(barrels.map(({ path }) => path)).toEqual([]);
  });

  it('are kebab-case', () => {
    const wrong = sources.filter(({ path }) => !/^([a-z0-9-]+\/)*[a-z0-9]+([-.][a-z0-9]+)*\.ts$/.test(path));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('that start a process have at most 60 lines', () => {
    const long = sources
      .filter(({ part }) => part === 'main')
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > 60);
    expect(long).toEqual([]);
  });
});
