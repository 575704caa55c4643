import { readFileSync } from 'node:fs';

/** What oneDNN's AVX-512 kernels need of a CPU. */
const AVX512 = ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl'];

/**
 * The variables by which TensorFlow takes kernels on the CPU that give a row the same scores, to the last bit, whatever the
 * batch, where each lane has one thread: oneDNN's, and not its kernels for AVX2, which compute rows in groups of several
 * sizes (measured with TensorFlow 2.9.1 to 2.21.0: up to nine of ten scores differ by batch size). A CPU without AVX-512 takes
 * those for AVX. They must be in force before the library loads.
 *
 * @param cpuInformation text of /proc/cpuinfo, or "" where there is none
 */
export function tensorflowKernels(cpuInformation: string = readCpuInformation()): Record<string, string> {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuInformation)?.[1]?.split(/\s+/));
  const wide = AVX512.every((flag) => flags.has(flag));
  // TensorFlow 2.9 reads the older name.
  const narrow = { DNNL_MAX_CPU_ISA: 'AVX', ONEDNN_MAX_CPU_ISA: 'AVX' };
  return { TF_ENABLE_ONEDNN_OPTS: '1', ...(wide ? {} : narrow) };
}

function readCpuInformation(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
