import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { conversionOf } from '../../../src/models/formats/foreign.ts';
import { captureTerminal } from '../../support/captured-terminal.ts';
import { ROOT } from '../../support/command-line.ts';

const page = readFileSync(`${ROOT}docs/your-model.md`, 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks; a fence that is not closed takes the rest, and so fails as what it says it is. */
const blocks = page
  .split(/^```/m)
  .filter((_, index) => index % 2 === 1)
  .map((block): Block => {
    const end = block.indexOf('\n');
    return { language: block.slice(0, end), text: block.slice(end + 1) };
  });
const textOf = (language: string): string[] => blocks.filter((each) => each.language === language).map(({ text }) => text); // prettier-ignore
const lines = textOf('sh').flatMap((text) => text.trim().split('\n'));

const help = new Map<string, string>();
const starts = async (): Promise<never> => {
  throw new Error('help starts nothing');
};

beforeAll(async () => {
  for (const command of ['models add', 'models check', 'certify']) {
    const terminal = captureTerminal();
    const starters = { startApi: starts, startWorker: starts, startStandalone: starts, startTrial: starts };
    await runProgram([...command.split(' '), '--help'], starters, terminal);
    help.set(command, terminal.stdout.text());
  }
});

const optionsOf = (command: string): string[] => [...help.get(command)!.matchAll(/^\s+(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name!); // prettier-ignore

describe('docs/your-model.md', () => {
  it('has an export in Python for each library, and all of its blocks are Python or shell', () => {
    expect(page.match(/^```/gm)!.length % 2).toBe(0);
    expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(['python', 'sh']));
    const python = textOf('python').join('\n');
    for (const library of ['torch', 'keras', 'tf_keras', 'skl2onnx', 'onnxruntime.quantization']) {
      expect(python).toMatch(new RegExp(`^(?:import|from) ${library.replace('.', String.raw`\.`)}\\b`, 'm'));
    }
  });

  it('has Python that Python can read', () => {
    const program = 'import ast, json, sys\nfor text in json.load(sys.stdin): ast.parse(text)';
    execFileSync('python3', ['-c', program], { input: JSON.stringify(textOf('python')) });
  });

  it('runs commands with options that they have', () => {
    expect(lines.some((line) => line.startsWith('npx smoothcert certify '))).toBe(true);
    for (const line of lines.filter((each) => !each.startsWith('tensorflowjs_converter '))) {
      const command = ['models add', 'models check', 'certify'].find((each) => line.startsWith(`npx smoothcert ${each} `)); // prettier-ignore
      expect(command, line).toBeDefined();
      for (const [option] of line.matchAll(/--[a-z-]+/g)) expect(optionsOf(command!), line).toContain(option);
    }
  });

  it('names no option in its text that models add or models check does not have', () => {
    const prose = page.replaceAll(/^```[^]*?^```/gm, '');
    const named = [...prose.matchAll(/`[^`\n]*`/g)].flatMap(([code]) => code.match(/--[a-z-]+/g) ?? []);
    expect(new Set(named).size).toBeGreaterThan(6);
    const known = [...optionsOf('models add'), ...optionsOf('models check')];
    for (const option of named) expect(known).toContain(option);
  });

  it('is where the refusal of a file of another framework sends people, and says what to do with each', () => {
    for (const ending of ['.h5', '.keras', '.pt', '.pth', '.safetensors', '.tflite', '.pkl']) {
      expect(conversionOf(`net${ending}`)).toContain('docs/your-model.md');
      expect(page).toContain(`\`${ending}\``);
    }
  });
});
