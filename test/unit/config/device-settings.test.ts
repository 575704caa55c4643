import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config/env.ts';
import type { Fault } from '../../../src/errors.ts';
import { configFaults } from '../../support/config-faults.ts';

describe('settings of devices that mean nothing together', () => {
  test('are reported all at once, with the values that are not allowed by themselves', () => {
    expect(
      configFaults({
        SMOOTHCERT_DEVICES: 'cpu',
        SMOOTHCERT_TENSORRT: 'on',
        SMOOTHCERT_PRECISION: 'tf32',
        SMOOTHCERT_LANES: '0',
      }).map(({ pointer }) => pointer),
    ).toEqual(['SMOOTHCERT_LANES', 'SMOOTHCERT_PRECISION', 'SMOOTHCERT_TENSORRT']);
  });

  test.each<[Record<string, string>, Fault[]]>([
    [
      { SMOOTHCERT_DEVICES: 'cpu', SMOOTHCERT_PRECISION: 'tf32', SMOOTHCERT_TENSORRT: 'on' },
      [
        {
          pointer: 'SMOOTHCERT_PRECISION',
          detail: 'tf32 needs NVIDIA GPUs; with SMOOTHCERT_DEVICES=cpu only fp32 is possible',
        },
        {
          pointer: 'SMOOTHCERT_TENSORRT',
          detail: 'on needs NVIDIA GPUs; with SMOOTHCERT_DEVICES=cpu it must be off',
        },
      ],
    ],
    [
      { SMOOTHCERT_DEVICES: 'webgpu', SMOOTHCERT_PRECISION: 'tf32' },
      [
        {
          pointer: 'SMOOTHCERT_PRECISION',
          detail: 'tf32 needs NVIDIA GPUs; with SMOOTHCERT_DEVICES=webgpu only fp32 is possible',
        },
      ],
    ],
    [
      { SMOOTHCERT_DEVICES: 'webgpu', SMOOTHCERT_LANES: '2' },
      [{ pointer: 'SMOOTHCERT_LANES', detail: 'must be 1 with SMOOTHCERT_DEVICES=webgpu' }],
    ],
    [
      { SMOOTHCERT_DEVICES: 'webgpu', SMOOTHCERT_TENSORRT: 'on' },
      [
        {
          pointer: 'SMOOTHCERT_TENSORRT',
          detail: 'on needs NVIDIA GPUs; with SMOOTHCERT_DEVICES=webgpu it must be off',
        },
      ],
    ],
  ])('%j are refused with what is possible', (environment, expected) => {
    expect(configFaults(environment)).toEqual(expected);
  });

  test('are not judged where one of them is not allowed by itself', () => {
    expect(configFaults({ SMOOTHCERT_DEVICES: 'cpu', SMOOTHCERT_PRECISION: 'bf16' })).toEqual([
      {
        pointer: 'SMOOTHCERT_PRECISION',
        detail: 'is not allowed: coarsest arithmetic on NVIDIA GPUs: fp32 or tf32',
      },
    ]);
  });
});

describe('the selection of devices', () => {
  test.each(['auto', 'cuda', 'cpu', 'webgpu'] as const)('%s stands for itself', (kind) => {
    expect(readConfig({}, { SMOOTHCERT_DEVICES: kind }).devices).toEqual({ kind });
  });

  test.each([
    'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6',
    'GPU-8932f937',
    'MIG-c5720b34-e550-5278-90e6-d99a979aafd1',
    'MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/7/0',
  ])('may be a UUID as nvidia-smi prints it, or its beginning: %s', (id) => {
    expect(readConfig({}, { SMOOTHCERT_DEVICES: id }).devices).toEqual({ kind: 'named', ids: [id] });
  });

  const NEITHER = 'is neither auto, cuda, cpu, webgpu nor a UUID that begins with GPU- or MIG-';
  test.each([
    ['0', `entry 1 ${NEITHER}`],
    ['CPU', `entry 1 ${NEITHER}`],
    ['GPU-', `entry 1 ${NEITHER}`],
    ['GPU-8932f937-d72c-4106-c12f-20bd9faed9f6-0', `entry 1 ${NEITHER}`],
    ['GPU-1a,,hunter2', `entry 2 ${NEITHER}; entry 3 ${NEITHER}`],
    ['cpu,GPU-1a', 'entry 1 (cpu) must stand alone'],
    ['GPU-1a,MIG-2b, gpu-1A', 'entry 3 repeats entry 1'],
    [
      Array.from({ length: 65 }, (_, index) => `GPU-${index}`).join(','),
      'names 65 devices; at most 64 are allowed',
    ],
  ])('%s is refused, with all that is wrong and without the value', (text, detail) => {
    expect(configFaults({ SMOOTHCERT_DEVICES: text })).toEqual([{ pointer: 'SMOOTHCERT_DEVICES', detail }]);
  });
});
