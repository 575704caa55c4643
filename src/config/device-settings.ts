import type { Fault } from '../errors.ts';
import { type DeviceSelection, parseDeviceSelection } from '../devices/selection.ts';
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
