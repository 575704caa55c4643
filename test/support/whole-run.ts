import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { identifyProcess } from './process-identity.ts';
import { killAll, processesMarked } from './live-processes.ts';
import { nativeTensorflowObstacle } from './native-tensorflow.ts';
import { softwareWebgpu } from './software-webgpu.ts';

const PREFIX = 'sct-';

/**
 * Surrounds a run of the tests: all its temporary files lie in one folder, which marks all its processes, and both are gone
 * when it ends, also where a file was killed before it could clean up. What a run has left that was itself killed is removed by
 * the next one.
 */
export default function wholeRun(): void {
  const temporary = realpathSync(tmpdir());
  // Each project of the run calls this.
  if (basename(temporary).startsWith(`${PREFIX}${process.pid}-`)) return;
  sayWhatIsNotRun();
  for (const name of readdirSync(temporary)) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner !== undefined && identifyProcess(Number(owner)) === null) remove(join(temporary, name));
  }
  const folder = mkdtempSync(join(temporary, `${PREFIX}${process.pid}-`));
  process.env['TMPDIR'] = folder;
  // At the very end, however the run comes to it: an interrupted one has no teardown.
  process.once('exit', () => {
    if (remove(folder) > 0) process.exitCode = 1;
  });
}

/** Removes the folder of a run with its processes; returns how many there were. */
function remove(folder: string): number {
  const left = processesMarked(folder);
  for (const { pid, command } of left)
    console.error(`tests: left behind and killed: process ${pid}: ${command}`);
  killAll(left);
  rmSync(folder, { recursive: true, force: true });
  return left.length;
}

/** Says which suites this machine cannot run, and why. */
function sayWhatIsNotRun(): void {
  if (softwareWebgpu() === null)
    console.log('conformance: onnx webgpu: not run, there is no /usr/lib/chromium with SwiftShader');
  const obstacle = nativeTensorflowObstacle();
  if (obstacle !== null)
    console.log(
      `training: steps and export in TensorFlow, and what its native library does to rows: not run, ${obstacle}`,
    );
}
