import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's package "chromium" brings a Vulkan loader and SwiftShader, a Vulkan driver that computes on the CPU. */
const FOLDER = '/usr/lib/chromium';
const DRIVER = join(FOLDER, 'vk_swiftshader_icd.json');

/** Environment variables that a process must start with to find SwiftShader, or null where it is not installed. */
export function softwareWebgpu(): { VK_ICD_FILENAMES: string; LD_LIBRARY_PATH: string } | null {
  if (![DRIVER, join(FOLDER, 'libvulkan.so.1')].every(existsSync)) return null;
  return { VK_ICD_FILENAMES: DRIVER, LD_LIBRARY_PATH: FOLDER };
}
