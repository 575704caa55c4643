import type { Launch } from '../../launch.ts';
import { isBrokenGpu, isFault, mebibytes, quote, runNvidiaSmi, smiNumber } from './run-nvidia-smi.ts';

/** What nvidia-smi says of a GPU at one moment; null where it says nothing. */
export interface GpuState {
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly temperatureCelsius: number | null;
  /** 0 to 1. */
  readonly utilisation: number | null;
  readonly powerWatts: number | null;
  /** Memory errors since the driver was loaded that could not be corrected. */
  readonly uncorrectedErrors: number | null;
  /** Values that it failed to read, e.g. `temperature.gpu: [Unknown Error]`. */
  readonly unread: readonly string[];
}

export interface GpuStates {
  /** By UUID. */
  readonly states: ReadonlyMap<string, GpuState>;
  /** What it says of GPUs that it cannot reach, a line each. */
  readonly broken: readonly string[];
  /** Lines that are not understood. */
  readonly unexpected: readonly string[];
  /** A sentence about its failure, or null. */
  readonly failure: string | null;
}

const FIELDS = [
  'uuid',
  'memory.used',
  'memory.total',
  'temperature.gpu',
  'utilization.gpu',
  'power.draw',
  'ecc.errors.uncorrected.volatile.total',
] as const;

type Numbers = [number | null, number | null, number | null, number | null, number | null, number | null];

/**
 * The state of all GPUs, by one call.
 *
 * @throws NvidiaSmiError where nvidia-smi gives no answer
 */
export async function readGpuStates(
  executable: string,
  timeoutMilliseconds: number,
  launch?: Launch,
): Promise<GpuStates> {
  const args = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
  const { lines, failure } = await runNvidiaSmi(executable, args, timeoutMilliseconds, launch);
  const states = new Map<string, GpuState>();
  const unexpected: string[] = [];
  for (const line of lines.filter((each) => !isBrokenGpu(each))) {
    const [uuid, ...values] = line.split(', ');
    const numbers = values.map(smiNumber);
    if (
      !/^GPU-[0-9a-f-]{36}$/.test(uuid!) ||
      numbers.length !== FIELDS.length - 1 ||
      numbers.includes(undefined)
    ) {
      unexpected.push(quote(line));
      continue;
    }
    const [used, total, temperature, utilisation, power, uncorrected] = numbers as (
      number | null
    )[] as Numbers;
    states.set(uuid!, {
      memoryUsedBytes: mebibytes(used),
      memoryTotalBytes: mebibytes(total),
      temperatureCelsius: temperature,
      utilisation: utilisation === null ? null : utilisation / 100,
      powerWatts: power,
      uncorrectedErrors: uncorrected,
      unread: values.flatMap((value, index) => (isFault(value) ? [`${FIELDS[index + 1]}: ${value}`] : [])),
    });
  }
  return { states, broken: lines.filter(isBrokenGpu), unexpected, failure };
}
