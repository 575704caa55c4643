import { describe, expect, it } from 'vitest';
import { adapterOf } from '../../../src/devices/webgpu.ts';

const using = (name: string, driver: string): string =>
  `[Vulkan Loader] DRIVER:                Using "${name}" with driver: "${driver}"\n`;

describe('adapterOf', () => {
  it('is the device that was created last', () => {
    const log = using('NVIDIA GeForce RTX 4090', '/usr/lib/libGLX_nvidia.so.0');
    expect(adapterOf(log)).toEqual({ name: 'NVIDIA GeForce RTX 4090', software: false });
    const both = using('llvmpipe (LLVM 15.0.6, 256 bits)', '/usr/lib/libvulkan_lvp.so') + log;
    expect(adapterOf(both).name).toBe('NVIDIA GeForce RTX 4090');
  });

  it('is software where its name or its driver is that of a program', () => {
    // Lines of Vulkan loader 1.4.364 with SwiftShader; Mesa's names stand in src/gallium/drivers/llvmpipe/lp_screen.c.
    const software = [
      using('SwiftShader Device (Subzero)', '/usr/lib/chromium/libvk_swiftshader.so'),
      using('llvmpipe (LLVM 15.0.6, 256 bits)', '/usr/lib/x86_64-linux-gnu/libvulkan_lvp.so'),
      using('Some Device', '/opt/drivers/libvulkan_lvp.so'),
    ];
    expect(software.map((log) => adapterOf(log).software)).toEqual([true, true, true]);
  });

  it('has no name where the log names none', () => {
    expect(adapterOf('')).toEqual({ name: null, software: false });
  });
});
