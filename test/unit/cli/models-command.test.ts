import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import type { Starters } from '../../../src/cli/starters.ts';
import { captureTerminal } from '../../support/captured-terminal.ts';

const SHIPPED = fileURLToPath(new URL('../../../models', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smoothcert-test-models-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function models(...args: string[]) {
  const terminal = captureTerminal();
  const status = await runProgram(['models', ...args], {} as Starters, terminal);
  return { status, stdout: terminal.stdout.text(), stderr: terminal.stderr.text() };
}

describe('smoothcert models', () => {
  it('lists the shipped models with digest, input and sigma', async () => {
    const { status, stdout, stderr } = await models('--models', SHIPPED);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/mnist-cnn .*1\.0\.0 .*28 x 28 grey .*10 .*0\.5 .*[0-9a-f]{64}/);
    expect(stdout).toMatch(/fashion-mnist-cnn .*0\.25 /);
  });

  it('gives the same as JSON', async () => {
    const { stdout } = await models('--models', SHIPPED, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      models: [
        { name: 'fashion-mnist-cnn', trainedSigma: 0.25, inputShape: [1, 28, 28], classes: 10 },
        { name: 'fashion-mnist-tensorflow', trainedSigma: 0.25, inputShape: [28, 28, 1], classes: 10 },
        { name: 'mnist-cnn', digest: expect.stringMatching(/^[0-9a-f]{64}$/), layout: 'NCHW' },
      ],
      refused: [],
    });
  });

  it('says which folder is refused and why, and has status 1 then', async () => {
    await cp(join(SHIPPED, 'mnist-cnn'), join(folder, 'good'), { recursive: true });
    await mkdir(join(folder, 'bad'));
    await writeFile(join(folder, 'bad', 'manifest.json'), '{"manifestVersion": 1, "nmae": "x"}');
    await mkdir(join(folder, 'empty'));
    const { status, stdout, stderr } = await models('--models', folder);
    expect(status).toBe(1);
    expect(stdout).toContain('mnist-cnn');
    expect(stderr).toMatch(/bad is refused: The model folder is not a valid model\.\n(?: {2}\/.+\n)+/);
    expect(stderr).toMatch(/empty is refused: .*no readable manifest\.json/);
  });

  it('refuses a model whose file was changed', async () => {
    await cp(join(SHIPPED, 'mnist-cnn'), join(folder, 'changed'), { recursive: true });
    await writeFile(join(folder, 'changed', 'model.onnx'), 'changed');
    const { status, stdout, stderr } = await models('--models', folder, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ models: [], refused: [{ code: 'model_digest_mismatch' }] });
    expect(stderr).toContain('there is no valid model');
  });

  it('has status 1 where the directory cannot be read', async () => {
    const { status, stderr } = await models('--models', join(folder, 'none'));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^smoothcert: the models directory .*none cannot be read\n$/);
  });
});
