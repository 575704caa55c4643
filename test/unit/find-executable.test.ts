import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findExecutable } from '../../src/find-executable.ts';

let root: string;
let first: string;
let second: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'smoothcert-test-'));
  first = join(root, 'first');
  second = join(root, 'second');
  await mkdir(join(first, 'folder'), { recursive: true });
  await mkdir(second);
  await writeFile(join(first, 'plain'), '');
  await writeFile(join(second, 'plain'), '');
  await writeFile(join(second, 'folder'), '');
  await chmod(join(second, 'plain'), 0o755);
  await chmod(join(second, 'folder'), 0o755);
  await symlink(join(second, 'plain'), join(first, 'link'));
  await symlink(join(root, 'nowhere'), join(first, 'dangling'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('passes over files that are not executable and folders of that name', () => {
  expect(findExecutable(['plain'], `${first}:${second}`)).toBe(join(second, 'plain'));
  expect(findExecutable(['folder'], `${first}:${second}`)).toBe(join(second, 'folder'));
});

test('prefers an earlier name anywhere on the path to a later one', () => {
  expect(findExecutable(['plain', 'link'], `${first}:${second}`)).toBe(join(second, 'plain'));
});

test('follows links, and passes over those that lead nowhere', () => {
  expect(findExecutable(['dangling', 'link'], first)).toBe(join(first, 'link'));
});

test('finds nothing on an empty path, in absent folders or relative to the current directory', () => {
  const relativePath = relative(process.cwd(), second);
  for (const path of ['', ':', '.', relativePath, join(root, 'absent')]) {
    expect(findExecutable(['plain'], path)).toBeNull();
  }
});
