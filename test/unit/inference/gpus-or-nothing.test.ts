import { expect, test } from 'vitest';
import { discoverDevices } from '../../../src/inference/devices.ts';

// `auto` takes the CPU where there is no GPU; an image for GPUs must not.
test('cuda without an NVIDIA GPU is refused, and never becomes the CPU', async () => {
  const nothing = { searchPath: '', visibleDevices: null };
  await expect(discoverDevices({ kind: 'cuda' }, null, nothing)).rejects.toMatchObject({
    code: 'device_unavailable',
    faults: [
      {
        pointer: 'SMOOTHCERT_DEVICES',
        detail: expect.stringMatching(/^cuda asks for NVIDIA GPUs, and none/),
      },
    ],
  });
});
