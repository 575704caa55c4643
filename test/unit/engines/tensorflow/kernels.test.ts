import { expect, it } from 'vitest';
import { tensorflowKernels } from '../../../../src/engines/tensorflow/kernels.ts';

const processor = (flags: string): string => `processor\t: 0\nflags\t\t: ${flags}\nbugs\t\t:\n`;

it('TensorFlow computes by oneDNN, as it likes where the CPU has AVX-512', () => {
  expect(tensorflowKernels(processor('avx avx2 avx512f avx512bw avx512dq avx512vl'))).toEqual({
    TF_ENABLE_ONEDNN_OPTS: '1',
  });
});

it.each([processor('avx avx2 fma'), processor('avx avx2 avx512f'), ''])(
  'TensorFlow is kept to kernels that round all rows alike on another CPU: %j',
  (cpuInformation) => {
    expect(tensorflowKernels(cpuInformation)).toEqual({
      TF_ENABLE_ONEDNN_OPTS: '1',
      DNNL_MAX_CPU_ISA: 'AVX',
      ONEDNN_MAX_CPU_ISA: 'AVX',
    });
  },
);
