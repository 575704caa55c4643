/** GPUs, or what may be some. */
export type GpuSelection =
  /** `auto`: all NVIDIA GPUs if there are any, else the CPU. `cuda`: all NVIDIA GPUs, and nothing else if there are none. */
  | { readonly kind: 'auto' | 'cuda' }
  /** UUIDs of NVIDIA GPUs or MIG slices, or the beginnings of some, as they were written. */
  | { readonly kind: 'named'; readonly ids: readonly string[] };

/** Which devices a worker computes on. */
export type DeviceSelection = { readonly kind: 'cpu' } | { readonly kind: 'webgpu' } | GpuSelection;

const MOST_DEVICES = 64;
/** `GPU-` or `MIG-` and hexadecimal groups, or the name of a slice before driver 470: `MIG-GPU-<uuid>/<gi>/<ci>`. */
const ID = /^(GPU|MIG)-[0-9a-f][0-9a-f-]{0,35}$|^MIG-GPU-[0-9a-f-]{1,36}\/\d{1,2}\/\d{1,2}$/i;

/**
 * Reads SMOOTHCERT_DEVICES: `auto`, `cuda`, `cpu`, `webgpu`, or UUIDs separated by commas.
 *
 * @returns the selection, or a sentence with everything that is wrong, which repeats nothing of the text
 */
export function parseDeviceSelection(text: string): DeviceSelection | string {
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
