import { describe, expect, test } from 'vitest';
import type { Device } from '../../../src/devices/device.ts';
import { type ComputeTarget, CPU_TARGET } from '../../../src/engines/compute-target.ts';
import { pinnedEnvironment } from '../../../src/devices/pinned-environment.ts';
import { tensorflowKernels } from '../../../src/engines/tensorflow/kernels.ts';

const CPU: Device = { id: 'cpu', name: 'CPU', kind: 'cpu', lanes: 2, driver: null };
const WEBGPU: Device = { ...CPU, id: 'webgpu', kind: 'webgpu' };
const SLICE: Device = { ...CPU, id: 'MIG-ce861fb0-a248-58ce-a9a8-f9adbc22a66a', kind: 'cuda' };

const CUDA: ComputeTarget = { ...CPU_TARGET, kind: 'cuda' };

const onnx = (device: Device, target: ComputeTarget, base: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv =>
  pinnedEnvironment(device, target, 'onnx', base);
const tensorflow = (device: Device, target: ComputeTarget, base: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv =>
  pinnedEnvironment(device, target, 'tensorflow', base);

describe('a host', () => {
  test('on the CPU sees no GPU, computes in fp32 and on one thread a lane', () => {
    expect(onnx(CPU, CPU_TARGET)).toEqual({
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
      CUDA_VISIBLE_DEVICES: '-1',
      NVIDIA_TF32_OVERRIDE: '0',
      OMP_NUM_THREADS: '1',
      MKL_NUM_THREADS: '1',
      OPENBLAS_NUM_THREADS: '1',
      ORT_DISABLE_TELEMETRY: '1',
    });
  });

  test('of TensorFlow is told the same in its own variables, and shows errors', () => {
    expect(tensorflow(SLICE, CUDA)).toEqual({
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
      CUDA_VISIBLE_DEVICES: SLICE.id,
      NVIDIA_TF32_OVERRIDE: '0',
      OMP_NUM_THREADS: '1',
      MKL_NUM_THREADS: '1',
      OPENBLAS_NUM_THREADS: '1',
      TF_FORCE_GPU_ALLOW_GROWTH: 'true',
      TF_NUM_INTRAOP_THREADS: '1',
      TF_NUM_INTEROP_THREADS: '1',
      TF_OVERRIDE_GLOBAL_THREADPOOL: '1',
      TF_CPP_MIN_LOG_LEVEL: '2',
    });
  });

  test('of TensorFlow on the CPU takes kernels that round every row alike', () => {
    expect(tensorflow(CPU, CPU_TARGET)).toMatchObject(tensorflowKernels());
    expect(tensorflow(CPU, CPU_TARGET, { TF_ENABLE_ONEDNN_OPTS: '0' })['TF_ENABLE_ONEDNN_OPTS']).toBe('1');
  });

  test('on a GPU sees it alone, by its UUID, whatever the worker sees', () => {
    const base = { CUDA_VISIBLE_DEVICES: '0,1', CUDA_DEVICE_ORDER: 'FASTEST_FIRST' };
    expect(onnx(SLICE, CUDA, base)).toMatchObject({
      CUDA_VISIBLE_DEVICES: SLICE.id,
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    });
  });

  test('on WebGPU sees no CUDA device', () => {
    expect(onnx(WEBGPU, { ...CPU_TARGET, kind: 'webgpu' })).toMatchObject({ CUDA_VISIBLE_DEVICES: '-1' });
  });
});

describe('arithmetic', () => {
  test('never is TF32 where fp32 is asked for', () => {
    const base = { NVIDIA_TF32_OVERRIDE: '1' };
    for (const environment of [onnx, tensorflow]) {
      expect(environment(SLICE, CUDA, base)).toMatchObject({ NVIDIA_TF32_OVERRIDE: '0' });
    }
  });

  test('may be TF32 where it is allowed, and is not forced to be', () => {
    const base = { NVIDIA_TF32_OVERRIDE: '1' };
    expect(onnx(SLICE, { ...CUDA, precision: 'tf32' }, base)).not.toHaveProperty('NVIDIA_TF32_OVERRIDE');
  });

  test.each([
    'ONEDNN_DEFAULT_FPMATH_MODE',
    'DNNL_DEFAULT_FPMATH_MODE',
    'TF_ENABLE_AUTO_MIXED_PRECISION',
    'TF_XLA_FLAGS',
    'ORT_TENSORRT_INT8_ENABLE',
    'ORT_TENSORRT_FP16_ENABLE',
    'CUBLAS_EMULATION_STRATEGY',
    'OMP_NUM_THREADS',
  ])('is not what the worker happens to have in %s', (name) => {
    for (const environment of [onnx, tensorflow]) {
      expect(environment(SLICE, CUDA, { [name]: 'ANY' })[name]).not.toBe('ANY');
    }
  });
});

describe('of the worker a host is told', () => {
  test('where programs, libraries, drivers and temporary files are', () => {
    const base = {
      PATH: '/usr/bin',
      HOME: '/home/worker',
      TMPDIR: '/scratch',
      LD_LIBRARY_PATH: '/usr/local/cuda/lib64',
      LC_ALL: 'C.UTF-8',
      CUDA_CACHE_PATH: '/scratch/cuda',
      NVIDIA_DRIVER_CAPABILITIES: 'compute,utility',
      VK_DRIVER_FILES: '/usr/share/vulkan/icd.d/nvidia_icd.json',
    };
    for (const environment of [onnx, tensorflow]) expect(environment(SLICE, CUDA, base)).toMatchObject(base);
  });

  test.each([
    'REDIS_URL',
    'SMOOTHCERT_MODELS_DIR',
    'SMOOTHCERT_A_SECRET',
    'AWS_SECRET_ACCESS_KEY',
    'NODE_AUTH_TOKEN',
    'NODE_OPTIONS',
    'GITHUB_TOKEN',
  ])('nothing of %s', (name) => {
    for (const environment of [onnx, tensorflow]) {
      expect(environment(CPU, CPU_TARGET, { [name]: 'hunter2' })).not.toHaveProperty(name);
    }
  });

  test('and nothing of it is changed', () => {
    const base = Object.freeze({ PATH: '/usr/bin', CUDA_VISIBLE_DEVICES: '0' });
    onnx(CPU, CPU_TARGET, base);
    expect(base).toEqual({ PATH: '/usr/bin', CUDA_VISIBLE_DEVICES: '0' });
  });
});
