// Imported before TensorFlow, which reads the environment when its library is loaded: it computes with the service's
// kernels, on one thread. Sums are then made in one order, so that a machine repeats its own result.
import { tensorflowKernels } from '../../src/engines/tensorflow/kernels.ts';

Object.assign(process.env, {
  ...tensorflowKernels(),
  TF_NUM_INTRAOP_THREADS: '1',
  TF_NUM_INTEROP_THREADS: '1',
  TF_CPP_MIN_LOG_LEVEL: '2',
});
