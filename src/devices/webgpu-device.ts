import { DomainError } from '../errors.ts';
import type { Device } from './device.ts';
import type { Launch } from '../launch.ts';
import { findWebgpuAdapter } from './webgpu-adapter.ts';

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
    throw new DomainError('device_unavailable', undefined, [{ pointer: 'SMOOTHCERT_DEVICES', detail }]);
  }
  return {
    id: 'webgpu',
    name: ['WebGPU', name, software ? '(software)' : null].filter((part) => part !== null).join(' '),
    kind: 'webgpu',
    lanes,
    memoryBytes: null,
    driver: null,
  };
}
