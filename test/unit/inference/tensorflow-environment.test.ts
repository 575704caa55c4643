import { expect, it } from 'vitest';
import { tensorflowEnvironment } from '../../../src/inference/tensorflow-environment.ts';

const processor = (flags: string): string => `processor\t: 0\nflags\t\t: ${flags}\nbugs\t\t:\n`;

it('TensorFlow computes on one thread a lane, by oneDNN', () => {
  expect(tensorflowEnvironment(processor('avx avx2 avx512f avx512bw avx512dq avx512vl'))).toEqual({
    TF_CPP_MIN_LOG_LEVEL: '2',
    TF_NUM_INTRAOP_THREADS: '1',
    TF_NUM_INTEROP_THREADS: '1',
    TF_OVERRIDE_GLOBAL_THREADPOOL: '1',
    TF_ENABLE_ONEDNN_OPTS: '1',
  });
});

it.each(['avx avx2 fma', 'avx avx2 avx512f', ''])(
  'a CPU with %j is kept to kernels that round all rows alike',
  (flags) => {
    expect(tensorflowEnvironment(processor(flags))).toMatchObject({ DNNL_MAX_CPU_ISA: 'AVX' });
    expect(tensorflowEnvironment('')).toMatchObject({ DNNL_MAX_CPU_ISA: 'AVX' });
  },
);
