import type { ComputeTarget } from '../engines/compute-target.ts';
import type { EngineName } from '../models/manifest.ts';
import { tensorflowKernels } from '../engines/tensorflow/kernels.ts';
import type { Device } from './device.ts';

/**
 * What a host is told of the worker's environment: where programs, libraries, drivers and temporary files are, and how text
 * is written. Everything else stays behind: the URL of Redis and whatever other secrets there are, and variables that make
 * an engine compute in another way than the certificate says (ONEDNN_DEFAULT_FPMATH_MODE, TF_ENABLE_AUTO_MIXED_PRECISION,
 * ORT_TENSORRT_INT8_ENABLE, CUBLAS_EMULATION_STRATEGY ... are more than anybody can list).
 */
const PASSED_ON: ReadonlySet<string> = new Set(
  [
    'PATH HOME TMPDIR TMP TEMP TZ LANG LANGUAGE SystemRoot',
    'LD_LIBRARY_PATH LD_PRELOAD MALLOC_ARENA_MAX XDG_CACHE_HOME XDG_RUNTIME_DIR',
    // Coverage of Node itself: without it the tests could not see what hosts run.
    'NODE_V8_COVERAGE',
    // What NVIDIA's container runtime lets a container see; libraries of the driver read them again.
    'NVIDIA_VISIBLE_DEVICES NVIDIA_DRIVER_CAPABILITIES',
    // CUDA Programming Guide, "CUDA Environment Variables": where CUDA is, and its cache of compiled kernels.
    'CUDA_HOME CUDA_PATH CUDA_CACHE_DISABLE CUDA_CACHE_PATH CUDA_CACHE_MAXSIZE CUDA_MODULE_LOADING',
    'CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY',
    // Vulkan's loader, by which WebGPU finds its adapter.
    'VK_DRIVER_FILES VK_ADD_DRIVER_FILES VK_ICD_FILENAMES',
  ].flatMap((names) => names.split(' ')),
);

/**
 * The whole environment of a host process: what pins it to its device, its arithmetic and one thread a lane. It is in force
 * before any library loads.
 *
 * @param base the worker's environment, of which only what engines need is passed on, and never a secret
 */
export function pinnedEnvironment(
  device: Device,
  target: ComputeTarget,
  engine: EngineName,
  base: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const passedOn = Object.entries(base).filter(([name]) => PASSED_ON.has(name) || name.startsWith('LC_'));
  return {
    ...Object.fromEntries(passedOn),
    ...pinning(device),
    ...arithmetic(target),
    ...ONE_THREAD,
    ...(engine === 'onnx' ? ONNX : tensorflow(device)),
  };
}

/**
 * One device, by its UUID, is all that CUDA sees, and so all that a library can take.
 *
 * "-1" hides every GPU: CUDA shows the devices before the first index that is not valid (CUDA Programming Guide,
 * CUDA_VISIBLE_DEVICES). The empty value does so too, but shells and container tools take it for a variable that is not set,
 * which shows them all.
 */
function pinning({ kind, id }: Device): NodeJS.ProcessEnv {
  return {
    // By default CUDA counts the fastest GPU first and nvidia-smi by the bus (same guide, CUDA_DEVICE_ORDER).
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: kind === 'cuda' ? id : '-1',
  };
}

/**
 * NVIDIA's libraries use TF32 for FP32 data from Ampere on, whatever the program asks for in some; 0 forbids it to all of them
 * (cuDNN and cuBLAS documentation, NVIDIA_TF32_OVERRIDE). Nothing is set to allow it: 1 would force it on.
 */
function arithmetic({ precision }: ComputeTarget): NodeJS.ProcessEnv {
  return precision === 'tf32' ? {} : { NVIDIA_TF32_OVERRIDE: '0' };
}

/** A lane is the unit of parallelism: pools of threads inside libraries would only get into each other's way. */
const ONE_THREAD: NodeJS.ProcessEnv = {
  OMP_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
};

const ONNX: NodeJS.ProcessEnv = {
  // ONNX Runtime 1.30 reports usage to its vendor from Linux too unless it is told not to before it loads
  // (microsoft/onnxruntime pull request 27379). A certification service tells nobody what it runs.
  ORT_DISABLE_TELEMETRY: '1',
};

const TENSORFLOW: NodeJS.ProcessEnv = {
  // Memory as it is needed: otherwise the first lane takes nearly all of the GPU (tensorflow.org, "Use a GPU").
  TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  // Sizes of TensorFlow's pools where a program states none (tensorflow/core/common_runtime/process_util.cc), which the
  // binding for Node.js does not.
  TF_NUM_INTRAOP_THREADS: '1',
  TF_NUM_INTEROP_THREADS: '1',
  // A pool for each session instead of one for the whole process (local_device.cc): one thread for each lane, not for all.
  TF_OVERRIDE_GLOBAL_THREADPOOL: '1',
  // 2 hides information and warnings, and shows errors (tensorflow/tsl/platform/default/logging.cc).
  TF_CPP_MIN_LOG_LEVEL: '2',
};

function tensorflow({ kind }: Device): NodeJS.ProcessEnv {
  return { ...TENSORFLOW, ...(kind === 'cpu' ? tensorflowKernels() : {}) };
}
