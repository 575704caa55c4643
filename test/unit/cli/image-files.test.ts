import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { imageInputs, readImages } from '../../../src/cli/image-files.ts';
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
  it('reads the bytes as they are, each by its path', async () => {
    expect(await readImages([file('a.png'), file('b.png')])).toEqual([
      { id: file('a.png'), bytes: Buffer.from('A'), label: null },
      { id: file('b.png'), bytes: Buffer.from('BB'), label: null },
    ]);
  });

  it('reads the images of a folder by name, nothing else in it and no folder of it', async () => {
    await mkdir(file('set/deeper.png'), { recursive: true });
    for (const name of ['10.PNG', '2.jpeg', '1.webp', 'labels.csv'])
      await writeFile(file(`set/${name}`), 'x');
    await rm(file('set/deeper.png'), { recursive: true });
    const found = await readImages([file('b.png'), file('set')]);
    expect(found.map(({ id }) => id)).toEqual([
      file('b.png'),
      ...['1.webp', '10.PNG', '2.jpeg'].map((name) => file(`set/${name}`)),
    ]);
  });

  it('refuses a folder without any image', async () => {
    await mkdir(file('nothing'));
    expect(await faultsOf(readImages([file('nothing')]))).toEqual([
      { pointer: file('nothing'), detail: 'has no PNG, JPEG or WebP file in it' },
    ]);
  });

  it('finds labels beside the list, whatever the way to the file, and ignores those of other files', async () => {
    await writeFile(file('labels.csv'), 'b.png,4\ngone.png,1\n');
    const [labelled] = await readImages([join(folder, '.', 'b.png')], file('labels.csv'));
    expect(labelled).toMatchObject({ label: '4' });
  });

  it('refuses an image that the list has no label for: a share of some of the images is no share', async () => {
    await writeFile(file('labels.csv'), 'b.png,4\n');
    expect(await faultsOf(readImages([file('a.png'), file('b.png')], file('labels.csv')))).toEqual([
      { pointer: file('a.png'), detail: `has no label in ${file('labels.csv')}` },
    ]);
  });

  it('reports every file that cannot be read, and the list of labels too', async () => {
    const faults = await faultsOf(
      readImages([file('x.png'), file('a.png'), file('empty.png')], file('none.json')),
    );
    expect(faults.map(({ pointer }) => pointer)).toEqual(['--labels', file('x.png'), file('empty.png')]);
    expect(faults[0]?.detail).toContain('there is no such file');
    expect(faults[1]?.detail).toContain('there is no such file');
  });
});

describe('imageInputs', () => {
  const image = (label: string | number | null) => ({ id: 'x', bytes: Buffer.from('A'), label });

  it.each([
    [null, undefined],
    [7, 7],
    ['2', 2],
    ['cat', 0],
    ['a dog', 1],
  ])('send a label %j as class %j', (label, expected) => {
    expect(imageInputs([image(label)], ['cat', 'a dog'])).toEqual([
      { id: 'x', image: 'QQ==', ...(expected === undefined ? {} : { label: expected }) },
    ]);
  });

  it('refuse what is no class of the model, and a number that is also the name of another class', async () => {
    const send = async () => imageInputs([image('bird'), image('0'), image('1')], ['1', '3']);
    expect(await faultsOf(send())).toEqual([
      { pointer: 'x', detail: 'its label "bird" is neither a class number nor a name of the model\'s' },
      {
        pointer: 'x',
        detail:
          'its label 1 is a class number and the name of class 0: write the number of the class as its name',
      },
    ]);
  });
});
