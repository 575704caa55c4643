import { defineConfig } from 'vitest/config';
import { tensorflowKernels } from './src/inference/tensorflow-kernels.ts';
import { nativeTensorflowObstacle } from './test/support/native-tensorflow.ts';
import { softwareWebgpu } from './test/support/software-webgpu.ts';

const webgpu = softwareWebgpu();
const WEBGPU_TESTS = ['test/conformance/*-webgpu.test.ts'];
const TRAINING_TESTS = ['test/training/export-model.test.ts', 'test/training/training-step.test.ts'];

export default defineConfig({
  test: {
    // Two cores: more than two files at once make the timing-sensitive integration tests starve each other.
    maxWorkers: 2,
    // What a device host's environment has, in force before a library loads.
    env: {
      ORT_DISABLE_TELEMETRY: '1',
      NVIDIA_TF32_OVERRIDE: '0',
      TF_NUM_INTRAOP_THREADS: '1',
      TF_NUM_INTEROP_THREADS: '1',
      TF_OVERRIDE_GLOBAL_THREADPOOL: '1',
      TF_CPP_MIN_LOG_LEVEL: '2',
      ...tensorflowKernels(),
    },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/main/**', '**/*.as.ts'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'default',
          include: ['test/**/*.test.ts'],
          exclude: [...WEBGPU_TESTS, ...(nativeTensorflowObstacle() === null ? [] : TRAINING_TESTS)],
          globalSetup: 'test/support/say-what-is-not-run.ts',
        },
      },
      // Its processes start with what the dynamic linker and Vulkan's loader must know before they load a driver.
      ...(webgpu === null
        ? []
        : [{ extends: true as const, test: { name: 'webgpu', include: WEBGPU_TESTS, env: webgpu } }]),
    ],
  },
});
