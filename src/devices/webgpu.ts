import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { execPath } from 'node:process';
import { PRODUCT_MODEL } from '../engines/onnx/arithmetic.ts';
import { missingPart } from '../engines/onnx/providers.ts';
import { DomainError } from '../errors.ts';
import { type Launch, launchAsItIs } from '../launch.ts';
import type { Device } from './device.ts';

/** What computes behind WebGPU. */
export interface WebgpuAdapter {
  /** As its driver says, e.g. "NVIDIA GeForce RTX 4090"; null where the system's interface is not Vulkan. */
  readonly name: string | null;
  /** Whether it is a program on the CPU that only acts as a GPU. */
  readonly software: boolean;
}

/**
 * The device behind WebGPU, by its adapter's name. An adapter that is a program on the CPU is taken only where the
 * operator has named its Vulkan driver: a missing GPU driver must not end on the CPU unnoticed. Certificates then say
 * "software".
 *
 * @param environment of this process, of which the host gets what Vulkan's loader reads
 * @throws DomainError `device_unavailable` with what is missing
 */
export async function webgpuDevice(
  lanes: number,
  environment: NodeJS.ProcessEnv,
  launch?: Launch,
): Promise<Device> {
  const { name, software } = await findWebgpuAdapter({ ...environment, ORT_DISABLE_TELEMETRY: '1' }, launch);
  const named = environment['VK_DRIVER_FILES'] ?? environment['VK_ICD_FILENAMES'];
  if (software && !named) {
    const detail =
      `WebGPU would compute on ${name}, which is a program on the CPU: install the GPU's Vulkan driver, or name this one ` +
      'in VK_DRIVER_FILES to use it knowingly';
    throw new DomainError('device_unavailable', undefined, [{ pointer: 'devices', detail }]);
  }
  return {
    id: 'webgpu',
    name: ['WebGPU', name, software ? '(software)' : null].filter((part) => part !== null).join(' '),
    kind: 'webgpu',
    lanes,
    driver: null,
  };
}

/** Milliseconds for the driver to start. */
const LIMIT = 60_000;

/**
 * ONNX Runtime does not tell which adapter it has taken, but Vulkan's loader does, on the standard error of a process
 * that asks it to by VK_LOADER_DEBUG. So a process of its own opens a session and ends.
 */
const SCRIPT = `
  const [library, model] = process.argv.slice(1);
  require(library)
    .InferenceSession.create(Buffer.from(model, 'base64'), { executionProviders: ['webgpu'], logSeverityLevel: 3 })
    .then(() => process.exit(0), (error) => { console.log(String(error)); process.exit(1); });
`;

/**
 * Learns which adapter ONNX Runtime computes on with WebGPU.
 *
 * @param environment of the processes that will compute: the same one makes the same choice
 * @throws DomainError `device_unavailable` with what is missing
 */
export async function findWebgpuAdapter(
  environment: NodeJS.ProcessEnv,
  launch: Launch = launchAsItIs,
): Promise<WebgpuAdapter> {
  const library = createRequire(import.meta.url).resolve('onnxruntime-node');
  const probe = ['-e', SCRIPT, library, PRODUCT_MODEL.toString('base64')];
  const { executable, args } = launch(execPath, probe);
  const log = await new Promise<string>((resolve, reject) => {
    const options = {
      env: { ...environment, VK_LOADER_DEBUG: 'driver,layer' },
      timeout: LIMIT,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 24,
    } as const;
    execFile(executable, args, options, (cause, stdout, stderr) => {
      if (cause === null) return resolve(stderr);
      const reason = missingPart(stdout, ['webgpu']) ?? (stdout.trim().split('\n')[0] || cause.message);
      return reject(
        new DomainError(
          'device_unavailable',
          `no WebGPU adapter can be used: ${reason}; docs/gpu.md says what to install`,
          [],
          { cause },
        ),
      );
    });
  });
  return adapterOf(log);
}

/** Reads the adapter out of the log of Vulkan's loader: the device that was created last. */
export function adapterOf(log: string): WebgpuAdapter {
  const [, name = null, driver = ''] = [...log.matchAll(/Using "(.*)" with driver: "(.*)"/g)].at(-1) ?? [];
  return { name, software: /swiftshader|llvmpipe|lavapipe|vulkan_lvp/i.test(`${name} ${driver}`) };
}
