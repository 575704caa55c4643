import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { inOptions, optionFault } from '../../../src/cli/manifest-options.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { ManifestSchema } from '../../../src/models/manifest-schema.ts';
import { captureTerminal } from '../../support/captured-terminal.ts';
import { ROOT } from '../../support/command-line.ts';
import { useTemporaryDirectory } from '../../support/temporary-directory.ts';

const at = useTemporaryDirectory();
const starts = async (): Promise<never> => {
  throw new Error('nothing is started');
};

async function modelsAdd(...args: string[]) {
  const terminal = captureTerminal();
  const starters = { startApi: starts, startWorker: starts, startStandalone: starts, startTrial: starts };
  const status = await runProgram(['models', 'add', ...args], starters, terminal);
  return { status, stdout: terminal.stdout.text(), stderr: terminal.stderr.text() };
}

let help: string;
beforeAll(async () => {
  help = (await modelsAdd('--help')).stdout;
});

describe('what a refusal says of a manifest', () => {
  it.each([
    [
      "a says one value; the manifest's output.kind says how it decides",
      'a says one value; --output-kind says how it decides',
    ],
    ['let it be: "batch": 1 in the manifest', 'let it be: --batch 1'],
    ['; "flat": true in the manifest\'s input', '; --size'],
    ["is the manifest's input.layout the other one?", 'is --layout the other one?'],
    [
      'image has shape [?, 9]; the manifest says [batch, 10]',
      'image has shape [?, 9]; the file and the options say [batch, 10]',
    ],
    ['nothing of it', 'nothing of it'],
  ])('%s: is said of options', (refusal, words) => {
    expect(inOptions(refusal)).toBe(words);
  });

  it('can be said of options wherever a model file or its network is refused', async () => {
    const refusals: string[] = [];
    for (const room of ['engines', 'models', 'host']) {
      for (const file of await readdir(join(ROOT, 'src', room), { recursive: true })) {
        if (!file.endsWith('.ts') || file === 'manifest-schema.ts') continue;
        const lines = (await readFile(join(ROOT, 'src', room, file), 'utf8')).split('\n');
        refusals.push(
          ...lines.filter((line) => !/^\s*(\*|\/\/|\/\*)/.test(line) && /\bthe manifest\b/.test(line)),
        );
      }
    }
    expect(refusals.length).toBeGreaterThan(10);
    for (const line of refusals)
      expect(inOptions(line.replaceAll("\\'", "'"))).not.toMatch(/\bmanifest('s)?\b(?!\.)/);
  });
});

describe('a fault of a manifest', () => {
  /** Pointers to every field that a manifest may have. */
  const pointers = Object.entries(ManifestSchema.properties).flatMap(([field, schema]) => [
    `/${field}`,
    ...Object.keys('properties' in schema ? schema.properties : {}).map((inner) => `/${field}/${inner}`),
  ]);

  it.each(pointers)('at %s is one of an option that models add has, or of the model', (pointer) => {
    const { pointer: named } = optionFault({ pointer, detail: '' });
    expect(named === '<file or folder>' || help.includes(`${named} `), named).toBe(true);
  });

  it('within a list is one of its option', () => {
    expect(optionFault({ pointer: '/output/labels/3', detail: 'x' })).toEqual({
      pointer: '--labels',
      detail: 'x',
    });
  });
});

describe('models add', () => {
  it('names every value that no manifest may have by its option, and starts nothing', async () => {
    const net = join(ROOT, 'models/mnist-cnn/model.onnx');
    const wrong = ['--version', 'new', '--sigma', '-1', '--mean', '0.5', '--std', '0'];
    const { status, stderr, stdout } = await modelsAdd(
      net,
      '--name',
      'own',
      '--models',
      at('shelf'),
      ...wrong,
    );
    expect(stderr).toContain('  --version: must be three numbers, such as 1.0.0\n');
    expect(stderr).toContain('  --sigma: must be at least 0\n');
    expect(stderr).toContain('  --std: must be greater than 0\n');
    expect([status, stdout]).toEqual([2, '']);
    expect(await readdir(at()).catch(() => [])).toEqual([]);
  });

  it('says which file has a name that no manifest may have', async () => {
    await mkdir(at('source'), { recursive: true });
    await cp(join(ROOT, 'models/mnist-cnn/model.onnx'), at('source', 'my net.onnx'));
    const { status, stderr } = await modelsAdd(at('source', 'my net.onnx'), '--models', at('shelf'));
    expect(stderr).toContain('  my net.onnx: must be a name of letters, digits');
    expect(status).toBe(2);
  });

  it('says which signatures a SavedModel has in place of the one that is asked for, and how to ask', async () => {
    const saved = join(ROOT, 'test/fixtures/tensorflow/variables');
    const { status, stderr } = await modelsAdd(saved, '--signature', 'other', '--models', at('shelf'));
    expect(stderr).toMatch(/has no signature other; it has serving_default, which --signature may name/);
    expect(status).toBe(1);
  });
});
