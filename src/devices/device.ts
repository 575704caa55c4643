import type { DeviceKind } from '../engines/compute-target.ts';
import type { Launch } from '../launch.ts';

/** A compute device that host processes are pinned to. */
export interface Device {
  /** Stable within a machine: `cpu`, `webgpu`, or the `GPU-` or `MIG-` UUID. */
  readonly id: string;
  /** What a certificate calls it. */
  readonly name: string;
  readonly kind: DeviceKind;
  /** Threads that each own a noise kernel, a batch and a session. */
  readonly lanes: number;
  /** Version of the NVIDIA driver, or null. */
  readonly driver: string | null;
  /** UUID of the GPU that a MIG slice is a part of. */
  readonly parent?: string;
}

/** What discovery and telemetry ask. */
export interface DeviceTools {
  /** PATH: where nvidia-smi is looked for. */
  readonly searchPath: string;
  /** CUDA_VISIBLE_DEVICES of this process; null where it is not set. */
  readonly visibleDevices: string | null;
  /** Of this process: Vulkan's loader finds WebGPU's adapter by it. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Path that exists where NVIDIA's driver is loaded. */
  readonly driverNode?: string;
  /** How programs are started; as they are unless given. */
  readonly launch?: Launch;
  /** How long nvidia-smi may take to answer once. */
  readonly timeoutMilliseconds?: number;
}
