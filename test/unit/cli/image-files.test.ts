import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseLabels, readImages } from '../../../src/cli/image-files.ts';
import { DomainError, type Fault } from '../../../src/errors.ts';

let folder: string;
const file = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smoothcert-test-images-'));
  await writeFile(file('a.png'), 'A');
  await writeFile(file('b.png'), 'BB');
  await writeFile(file('empty.png'), '');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function faultsOf(reading: Promise<unknown>): Promise<readonly Fault[]> {
  const error: unknown = await reading.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof DomainError) return error.faults;
  throw new Error('it was accepted');
}

describe('readImages', () => {
  it('sends the bytes as they are, each by its path', async () => {
    expect(await readImages([file('a.png'), file('b.png')])).toEqual([
      { id: file('a.png'), image: 'QQ==' },
      { id: file('b.png'), image: 'QkI=' },
    ]);
  });

  it('finds labels beside the list, whatever the way to the file', async () => {
    await writeFile(
      file('labels.json'),
      '[{"file":"b.png","label":4,"source":"s"},{"file":"gone.png","label":1}]',
    );
    const inputs = await readImages(
      [file('a.png'), join(folder, '.', 'x', '..', 'b.png')].slice(0, 1),
      file('labels.json'),
    );
    expect(inputs[0]).not.toHaveProperty('label');
    const [labelled] = await readImages([file('b.png')], file('labels.json'));
    expect(labelled).toMatchObject({ label: 4 });
  });

  it('reports every file that cannot be read, and the list of labels too', async () => {
    const faults = await faultsOf(
      readImages([file('x.png'), file('a.png'), folder, file('empty.png')], file('none.json')),
    );
    expect(faults.map(({ pointer }) => pointer)).toEqual([
      '--labels',
      file('x.png'),
      folder,
      file('empty.png'),
    ]);
    expect(faults[0]?.detail).toContain('there is no such file');
    expect(faults[1]?.detail).toContain('there is no such file');
    expect(faults[2]?.detail).toContain('EISDIR');
  });

  it('refuses a list of labels that is none', async () => {
    await writeFile(file('labels.json'), '{');
    expect(await faultsOf(readImages([file('a.png')], file('labels.json')))).toHaveLength(1);
  });
});

describe('parseLabels', () => {
  it.each([
    ['{}', 'list'],
    ['[{}]', 'entry 0'],
    ['[{"file":"a","label":1},{"file":"b","label":"1"}]', 'entry 1'],
    ['[{"file":"a","label":-1}]', 'entry 0'],
    ['[{"file":"a","label":1.5}]', 'entry 0'],
    ['[null]', 'entry 0'],
  ])('refuses %s and says where', (text, where) => {
    expect(() => parseLabels(text)).toThrow(where);
  });

  it('reads what the examples have', () => {
    expect(parseLabels('[{"file":"a.png","label":0,"source":"test set"}]')).toEqual([
      { file: 'a.png', label: 0, source: 'test set' },
    ]);
  });
});
