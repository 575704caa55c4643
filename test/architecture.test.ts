import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Room, ROOMS } from './support/rooms.ts';

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

/** Whether a room's line allows an import of that file. */
function allows({ name, imports }: Room, file: string): boolean {
  const of = file.split('/')[0]!;
  return of === name || imports === null || imports.includes(of) || imports.includes(file);
}

/** Whether a package is one of those named, or a part of one. */
function isOneOf(name: string, packages: readonly string[]): boolean {
  return packages.some((each) =>
    /[:/]$/.test(each) ? name.startsWith(each) : name === each || name.startsWith(`${each}/`),
  );
}

/** `imports` from each file that lies on a circle of imports, those of types included. */
function circles(): string[] {
  const left = new Map(sources.map(({ path, files }) => [path, new Set(files)]));
  for (let before = -1; before !== left.size;) {
    before = left.size;
    for (const [path, files] of left) {
      const isLeaf = [...files].every((file) => !left.has(file));
      const isRoot = ![...left.values()].some((others) => others.has(path));
      if (isLeaf || isRoot) left.delete(path);
    }
  }
  return [...left].flatMap(([path, files]) =>
    [...files].filter((file) => left.has(file)).map((file) => `${path} -> ${file}`),
  );
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

describe('programs outside src', () => {
  const root = dirname(SOURCES);
  const programs = ['bench', 'docker', 'scripts'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.mjs'))
      .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(join(root, folder, name), 'utf8') })),
  );

  it('name only what the product has: nothing else would tell before they run', () => {
    const taken = /\{([^{}]*)\}\s*(?:from|= await import\()\s*'\.\.\/dist\/([^']+)\.js'/g;
    const absent = programs.flatMap(({ path, text }) => {
      const imports = [...text.matchAll(taken)];
      expect(imports.length, path).toBe([...text.matchAll(/'\.\.\/dist\//g)].length);
      return imports.flatMap(([, names = '', module = '']) => {
        const source = sources.find((each) => each.path === `${module}.ts`)?.text ?? '';
        return names
          .split(',')
          .map((name) => name.split(/ as |:/)[0]!.trim())
          .filter((name) => name !== '' && !new RegExp(`^export .*\\b${name}\\b`, 'm').test(source))
          .map((name) => `${path} -> ${module}: ${name}`);
      });
    });
    expect(absent).toEqual([]);
  });
});

describe('the rooms', () => {
  it('are those of the table', () => {
    const names = [...new Set(sources.map(({ part }) => part))].sort();
    expect(names).toEqual(ROOMS.map(({ name }) => name).sort());
  });

  for (const [level, room] of ROOMS.entries()) {
    it(`${room.name} imports ${room.imports === null ? 'all rooms' : `only ${room.imports.join(', ') || 'nothing'}`}`, () => {
      const strangers = sources
        .filter(({ part }) => part === room.name)
        .flatMap(({ path, files }) =>
          files.filter((file) => !allows(room, file)).map((file) => `${path} -> ${file}`),
        );
      expect(strangers).toEqual([]);
      const below = ROOMS.slice(0, level).map(({ name }) => name);
      const up = (room.imports ?? []).filter(
        (name) => !below.includes(name.split('/')[0]!) && !below.includes(name),
      );
      expect(up, 'its line allows only rooms before it').toEqual([]);
    });

    it(`${room.name} knows ${room.packages.length === 0 ? 'no package' : `only ${room.packages.join(', ')}`}`, () => {
      const strangers = sources
        .filter(({ part }) => part === room.name)
        .flatMap(({ path, packages }) =>
          packages.filter((name) => !isOneOf(name, room.packages)).map((name) => `${path} -> ${name}`),
        );
      expect(strangers).toEqual([]);
    });
  }

  it('stand so in ARCHITECTURE.md', () => {
    const text = readFileSync(join(dirname(SOURCES), 'ARCHITECTURE.md'), 'utf8');
    const rows = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    for (const { name, holds, imports, packages } of ROOMS) {
      const cells = [`\`${name}\``, holds, (imports ?? ['all']).join(', '), packages.join(', ')];
      const stands = rows.some((row) => row.slice(1, -1).join('|') === cells.join('|'));
      expect(stands, `| ${cells.join(' | ')} |`).toBe(true);
    }
  });

  it('and the linter keep the same directions', () => {
    const { overrides } = JSON.parse(readFileSync(join(dirname(SOURCES), '.oxlintrc.json'), 'utf8')) as {
      overrides: { files: string[]; rules: Record<string, unknown> }[];
    };
    const kept = overrides.filter(({ rules }) => 'no-restricted-imports' in rules);
    expect(kept).toEqual(ROOMS.filter(({ imports }) => imports !== null).map(linterRule));
  });

  it('import nothing in a circle, not even a type', () => {
    expect(circles()).toEqual([]);
  });

  it('round numbers for people in report/format.ts alone, where each function says its direction', () => {
    const others = [
      // How far two scores are apart: measured, no bound.
      'engines/row-probe.ts',
      // Coordinates and ticks of the plot, and the same ticks in the table.
      'report/accuracy-plot.ts',
      'report/accuracy-table.ts',
      'report/ticks.ts',
    ];
    const rounding = sources.filter(({ text }) => /\.to(?:Fixed|Precision)\(/.test(text));
    expect(rounding.map(({ path }) => path).sort()).toEqual([...others, 'report/format.ts'].sort());
  });

  it('import nothing for its side effect', () => {
    const effects = sources.filter(({ text }) => /^\s*import\s*['"]/m.test(text));
    expect(effects.map(({ path }) => path)).toEqual([]);
  });
});

/** The rule by which the linter keeps a room's line. */
function linterRule({ name, imports, packages }: Room) {
  const isFile = name.endsWith('.ts');
  const escape = (text: string): string => text.replaceAll(/[.]/g, '\\$&');
  const strangers = ROOMS.filter(
    (room) => room.name !== name && !imports!.some((each) => each.split('/')[0] === room.name),
  );
  const up = isFile ? '\\./' : '(\\.\\./)+';
  const names = strangers.map((room) =>
    room.name.endsWith('.ts') ? `${escape(room.name)}$` : `${room.name}/`,
  );
  return {
    files: [isFile ? `src/${name}` : `src/${name}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^${up}(${names.join('|')})`,
              message: `${name} may not import this room: see test/support/rooms.ts`,
            },
            // What packages a room may import is kept by the test alone, but for those that may import none.
            ...(packages.length > 0
              ? []
              : [{ regex: '^[^.]', message: `${name} imports no package: see test/support/rooms.ts` }]),
          ],
        },
      ],
    },
  };
}

describe('packages', () => {
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

describe('what is stored', () => {
  it('is read by its format alone, which checks version and contents', () => {
    const readers = sources.filter(({ part, text }) => part === 'jobs' && /JSON\.parse\(/.test(text));
    expect(readers.map(({ path }) => path)).toEqual(['jobs/stored/format.ts']);
  });
});

describe('the environment', () => {
  it('is read in config/env.ts alone', () => {
    const readers = sources.filter(({ text }) => /\bprocess\s*(\.env\b|\[\s*['"]env['"])/.test(text));
    expect(readers.map(({ path }) => path)).toEqual(['config/env.ts']);
    const destructured = sources.filter(({ text }) => /\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(text));
    expect(destructured.map(({ path }) => path)).toEqual([]);
  });

  it('is named in config alone, but for the command line and one sentence', () => {
    const naming = sources.filter(
      ({ part, text }) => !['config', 'cli'].includes(part) && /SMOOTHCERT_/.test(text),
    );
    // An engine says how WebAssembly is allowed to whoever reads why a model was refused, of whatever process.
    expect(naming.map(({ path }) => path)).toEqual(['engines/tensorflow/library.ts']);
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
