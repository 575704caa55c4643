import type { Launch } from '../../launch.ts';
import { isBrokenGpu, NvidiaSmiError, quote, runNvidiaSmi } from './run-nvidia-smi.ts';

/** A part of a GPU in MIG mode, which computes as a device of its own. */
export interface NvidiaSlice {
  readonly uuid: string;
  /** E.g. "1g.5gb" or "1c.3g.40gb". */
  readonly profile: string;
}

export interface NvidiaGpu {
  /** In the order of the PCI bus. */
  readonly index: number;
  readonly uuid: string;
  readonly busId: string;
  readonly name: string;
  readonly driver: string;
  /** Whether it computes by its slices only. */
  readonly mig: boolean;
  readonly slices: readonly NvidiaSlice[];
}

export interface NvidiaInventory {
  readonly gpus: readonly NvidiaGpu[];
  /** What nvidia-smi says of GPUs that it cannot reach, a line each. */
  readonly broken: readonly string[];
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
// The name stands last: it is the only text in which a comma could be.
const FIELDS = ['index', 'uuid', 'pci.bus_id', 'driver_version'];
const ROW = new RegExp(`^(\\d+), (GPU-${UUID}), ([0-9A-Fa-f:.]+), ([0-9.]+), (?:([^,]+), )?(.+)$`);
const GPU_LINE = new RegExp(`^GPU \\d+: .+ \\(UUID: (GPU-${UUID})\\)$`);
const SLICE_LINE = new RegExp(
  `^ +MIG (\\S+) +Device +\\d+: \\(UUID: (MIG-${UUID}|MIG-GPU-${UUID}/\\d+/\\d+)\\)$`,
);

/**
 * The NVIDIA GPUs of this machine that nvidia-smi shows to this process, with the slices of those in MIG mode.
 *
 * @param executable absolute path of nvidia-smi
 * @throws NvidiaSmiError where it fails, shows no GPU at all, or prints a line that is not understood
 */
export async function listGpus(
  executable: string,
  timeoutMilliseconds: number,
  launch?: Launch,
): Promise<NvidiaInventory> {
  const ask = (args: readonly string[]) => runNvidiaSmi(executable, args, timeoutMilliseconds, launch);
  const query = (fields: readonly string[]) =>
    ask([`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits']);
  let output = await query([...FIELDS, 'mig.mode.current', 'name']);
  // Drivers before 450 do not know of MIG.
  const knowsMig = !output.lines.some((line) =>
    line.includes('"mig.mode.current" is not a valid field to query'),
  );
  if (!knowsMig) output = await query([...FIELDS, 'name']);
  const broken = output.lines.filter(isBrokenGpu);
  const rows = output.lines.filter((line) => !isBrokenGpu(line));
  if (output.failure !== null && (broken.length === 0 || rows.length === 0))
    throw new NvidiaSmiError(output.failure);
  const gpus = rows.map((line) => readGpu(line, knowsMig));
  if (gpus.length === 0) throw new NvidiaSmiError(`${executable} shows no GPU`);
  if (!gpus.some(({ mig }) => mig)) return { gpus, broken };
  const listing = await ask(['-L']);
  if (listing.failure !== null && broken.length === 0) throw new NvidiaSmiError(listing.failure);
  const slices = readSlices(listing.lines);
  return { gpus: gpus.map((gpu) => ({ ...gpu, slices: slices.get(gpu.uuid) ?? [] })), broken };
}

function readGpu(line: string, knowsMig: boolean): NvidiaGpu {
  const [, index, uuid, busId, driver, mode, name] = ROW.exec(line) ?? [];
  const understood = name !== undefined && (knowsMig ? isMode(mode) : mode === undefined);
  if (!understood) throw new NvidiaSmiError(`nvidia-smi printed an unexpected line: "${quote(line)}"`);
  return {
    index: Number(index),
    uuid: uuid!,
    busId: busId!,
    name,
    driver: driver!,
    mig: mode === 'Enabled',
    slices: [],
  };
}

/** What mig.mode.current may be; the last two on GPUs that have no such mode. */
function isMode(text: string | undefined): boolean {
  return text !== undefined && ['Enabled', 'Disabled', '[N/A]', '[Not Supported]'].includes(text);
}

/** The slices of each GPU, by its UUID, from `nvidia-smi -L`. */
function readSlices(lines: readonly string[]): Map<string, NvidiaSlice[]> {
  const slices = new Map<string, NvidiaSlice[]>();
  let current: NvidiaSlice[] | undefined;
  for (const line of lines) {
    const gpu = GPU_LINE.exec(line);
    const slice = SLICE_LINE.exec(line);
    if (gpu !== null) slices.set(gpu[1]!, (current = []));
    else if (slice !== null && current !== undefined) current.push({ profile: slice[1]!, uuid: slice[2]! });
    else if (!isBrokenGpu(line))
      throw new NvidiaSmiError(`nvidia-smi -L printed an unexpected line: "${quote(line)}"`);
  }
  return slices;
}
