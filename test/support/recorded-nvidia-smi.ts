import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeviceTools } from '../../src/devices/device.ts';
import { writeProgram } from './search-path.ts';

const REPLAY = fileURLToPath(new URL('./replay-nvidia-smi.mjs', import.meta.url));
const RECORDINGS = fileURLToPath(new URL('../fixtures/nvidia-smi/', import.meta.url));

/** Tools of a machine without NVIDIA's driver, on whose PATH is only `directory`. */
export function toolsIn(directory: string): DeviceTools {
  return { searchPath: directory, visibleDevices: null, driverNode: join(directory, 'nvidiactl') };
}

/** Puts a program nvidia-smi into `directory` that prints a recording of test/fixtures/nvidia-smi. */
export async function replayNvidiaSmi(directory: string, recording: string): Promise<DeviceTools> {
  const file = join(RECORDINGS, `${recording}.json`);
  await writeProgram(directory, 'nvidia-smi', `exec '${process.execPath}' '${REPLAY}' '${file}' "$@"`);
  return toolsIn(directory);
}
