import type { Fault } from '../errors.ts';
import type { DeviceSelection } from '../devices/discover.ts';
import type { TargetOptions } from '../devices/target.ts';

/** The settings that concern devices, each allowed by itself. */
export interface DeviceSettings {
  readonly SMOOTHCERT_DEVICES: string;
  readonly SMOOTHCERT_LANES?: number;
  readonly SMOOTHCERT_PRECISION: TargetOptions['precision'];
  readonly SMOOTHCERT_TENSORRT: 'on' | 'off';
  readonly SMOOTHCERT_TENSORFLOW_WASM: 'allow' | 'refuse';
}

export interface ReadDeviceSettings {
  readonly selection: DeviceSelection;
  readonly target: TargetOptions;
  /** What the settings cannot mean together; the rest holds only where there are none. */
  readonly faults: readonly Fault[];
}

/** Reads the settings of devices, and finds the combinations that make no sense. */
export function readDeviceSettings(given: DeviceSettings): ReadDeviceSettings {
  const parsed = parseDeviceSelection(given.SMOOTHCERT_DEVICES);
  const selection: DeviceSelection = typeof parsed === 'string' ? { kind: 'auto' } : parsed;
  const precision = given.SMOOTHCERT_PRECISION;
  const tensorrt = given.SMOOTHCERT_TENSORRT === 'on';
  const withoutNvidia = selection.kind === 'cpu' || selection.kind === 'webgpu';
  const faults: Fault[] = [];
  const refuse = (pointer: keyof DeviceSettings, detail: string) => faults.push({ pointer, detail });
  if (typeof parsed === 'string') refuse('SMOOTHCERT_DEVICES', parsed);
  if (selection.kind === 'webgpu' && (given.SMOOTHCERT_LANES ?? 1) > 1)
    refuse('SMOOTHCERT_LANES', 'must be 1 with SMOOTHCERT_DEVICES=webgpu');
  if (precision !== 'fp32' && withoutNvidia) {
    refuse(
      'SMOOTHCERT_PRECISION',
      `${precision} needs NVIDIA GPUs; with SMOOTHCERT_DEVICES=${selection.kind} only fp32 is possible`,
    );
  }
  if (tensorrt && withoutNvidia) {
    refuse(
      'SMOOTHCERT_TENSORRT',
      `on needs NVIDIA GPUs; with SMOOTHCERT_DEVICES=${selection.kind} it must be off`,
    );
  }
  return {
    selection,
    target: { precision, tensorrt, wasm: given.SMOOTHCERT_TENSORFLOW_WASM === 'allow' },
    faults,
  };
}

const MOST_DEVICES = 64;
/** `GPU-` or `MIG-` and hexadecimal groups, or the name of a slice before driver 470: `MIG-GPU-<uuid>/<gi>/<ci>`. */
const ID = /^(GPU|MIG)-[0-9a-f][0-9a-f-]{0,35}$|^MIG-GPU-[0-9a-f-]{1,36}\/\d{1,2}\/\d{1,2}$/i;

/**
 * Reads SMOOTHCERT_DEVICES: `auto`, `cuda`, `cpu`, `webgpu`, or UUIDs separated by commas.
 *
 * @returns the selection, or a sentence with everything that is wrong, which repeats nothing of the text
 */
function parseDeviceSelection(text: string): DeviceSelection | string {
  if (text === 'auto' || text === 'cuda' || text === 'cpu' || text === 'webgpu') return { kind: text };
  const ids = text.split(',').map((each) => each.trim());
  if (ids.length > MOST_DEVICES) return `names ${ids.length} devices; at most ${MOST_DEVICES} are allowed`;
  const faults = ids.flatMap((id, index) => {
    const entry = `entry ${index + 1}`;
    if (/^(auto|cuda|cpu|webgpu)$/.test(id)) return [`${entry} (${id}) must stand alone`];
    if (!ID.test(id))
      return [`${entry} is neither auto, cuda, cpu, webgpu nor a UUID that begins with GPU- or MIG-`];
    const first = ids.findIndex((other) => other.toLowerCase() === id.toLowerCase());
    return first < index ? [`${entry} repeats entry ${first + 1}`] : [];
  });
  return faults.length === 0 ? { kind: 'named', ids } : faults.join('; ');
}
