/** What oneDNN's AVX-512 kernels need of a CPU. */
const AVX512 = ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl'];

/**
 * The environment in which TensorFlow computes on the CPU so that a row has the same scores, to the last bit, whatever
 * the batch: one thread for each lane, and oneDNN's kernels, of a kind that takes all rows alike. Those for AVX2 do not
 * (measured with TensorFlow 2.9.1: up to nine of ten scores differ by batch size, and where a row stands matters), so a
 * CPU without AVX-512 uses those for AVX. It must be in force before the library loads.
 *
 * @param cpuInformation text of /proc/cpuinfo, or "" where there is none
 */
export function tensorflowEnvironment(cpuInformation: string): Record<string, string> {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuInformation)?.[1]?.split(/\s+/));
  const wide = AVX512.every((flag) => flags.has(flag));
  return {
    TF_CPP_MIN_LOG_LEVEL: '2',
    TF_NUM_INTRAOP_THREADS: '1',
    TF_NUM_INTEROP_THREADS: '1',
    TF_OVERRIDE_GLOBAL_THREADPOOL: '1',
    TF_ENABLE_ONEDNN_OPTS: '1',
    ...(wide ? {} : { DNNL_MAX_CPU_ISA: 'AVX', ONEDNN_MAX_CPU_ISA: 'AVX' }),
  };
}
