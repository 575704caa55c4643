import { describe, expect, test } from 'vitest';
import type { Device } from '../../../src/devices/device.ts';
import { DomainError } from '../../../src/errors.ts';
import { deviceTarget, type TargetOptions } from '../../../src/devices/target.ts';

const PLAIN: TargetOptions = { precision: 'fp32', tensorrt: false, wasm: false };

const device = (kind: Device['kind'], name: string): Device => ({
  id: kind,
  name,
  kind,
  lanes: 1,
  driver: null,
});
const CPU = device('cpu', 'CPU AMD EPYC 9B14');
const GPU = device('cuda', 'NVIDIA H100 80GB HBM3');
const WEBGPU = device('webgpu', 'WebGPU');

describe('what sessions compute on', () => {
  test.each([CPU, GPU, WEBGPU])('is the device itself: $name', (each) => {
    expect(deviceTarget(each, { ...PLAIN, wasm: true })).toEqual({ ...PLAIN, wasm: true, kind: each.kind });
  });

  test('is on an NVIDIA GPU whatever the operator allows', () => {
    const allowed: TargetOptions = { precision: 'tf32', tensorrt: true, wasm: false };
    expect(deviceTarget(GPU, allowed)).toEqual({ ...allowed, kind: 'cuda' });
  });

  test.each([CPU, WEBGPU])(
    'is never less than was asked for: $name has neither TensorRT nor TF32',
    (each) => {
      let refused: unknown;
      try {
        deviceTarget(each, { precision: 'tf32', tensorrt: true, wasm: false });
      } catch (error) {
        refused = error;
      }
      expect(refused).toBeInstanceOf(DomainError);
      const detail = `asks for an NVIDIA GPU, and this worker computes on ${each.name}`;
      expect(refused).toMatchObject({
        code: 'device_unavailable',
        faults: [
          { pointer: 'tensorrt', detail },
          { pointer: 'precision', detail },
        ],
      });
    },
  );
});
