import { defineConfig } from 'vitest/config';
import { CPU_TARGET } from './src/engines/compute-target.ts';
import { pinnedEnvironment } from './src/devices/pinned-environment.ts';
import { TEST_LIMIT_MS, WAIT_LIMIT_MS } from './test/support/limits.ts';
import { nativeTensorflowObstacle } from './test/support/native-tensorflow.ts';
import { SHARED_CACHE } from './test/support/shared-cache.ts';
import { softwareWebgpu } from './test/support/software-webgpu.ts';

const webgpu = softwareWebgpu();
/** For every save: they start nearly no process and measure nothing. */
const FAST_TESTS = ['test/architecture.test.ts', 'test/unit/**/*.test.ts', 'test/properties/**/*.test.ts'];
const WEBGPU_TESTS = ['test/conformance/*-webgpu.test.ts'];
/** Files of which nothing is left without TensorFlow's native library. */
const NATIVE_TESTS = [
  'test/conformance/row-mixing-tensorflow.test.ts',
  'test/training/export-model.test.ts',
  'test/training/training-step.test.ts',
];

const CPU = { id: 'cpu', name: 'CPU', kind: 'cpu', lanes: 1, driver: null } as const;
/** Where there is a GPU its own tests shall see it. */
const { CUDA_VISIBLE_DEVICES: _, ...host } = {
  ...pinnedEnvironment(CPU, CPU_TARGET, 'onnx', {}),
  ...pinnedEnvironment(CPU, CPU_TARGET, 'tensorflow', {}),
};

export default defineConfig({
  test: {
    // Two cores: more than two files at once make the timing-sensitive integration tests starve each other.
    maxWorkers: 2,
    // What a device host's environment has, in force before a library loads.
    env: { ...host, SMOOTHCERT_CACHE_DIR: SHARED_CACHE },
    testTimeout: TEST_LIMIT_MS,
    hookTimeout: TEST_LIMIT_MS,
    globalSetup: 'test/support/whole-run.ts',
    setupFiles: 'test/support/each-file.ts',
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/main/**', '**/*.as.ts'] },
    projects: [
      {
        extends: true,
        test: { name: 'fast', include: FAST_TESTS, testTimeout: WAIT_LIMIT_MS },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: ['test/**/*.test.ts'],
          exclude: [
            ...FAST_TESTS,
            ...WEBGPU_TESTS,
            ...(nativeTensorflowObstacle() === null ? [] : NATIVE_TESTS),
          ],
        },
      },
      // Its processes start with what the dynamic linker and Vulkan's loader must know before they load a driver.
      ...(webgpu === null
        ? []
        : [{ extends: true as const, test: { name: 'webgpu', include: WEBGPU_TESTS, env: webgpu } }]),
    ],
  },
});
