/** What a host process is pinned to. */
export type DeviceKind = 'cpu' | 'cuda' | 'webgpu';

/**
 * Arithmetic of a network's products and convolutions; recorded in every certificate. There is no fp16: no engine here can
 * be asked for it, and a network that was exported in fp16 is another network, which its digest names.
 */
export type Precision = 'fp32' | 'tf32';

/**
 * What a session must compute on. An engine opens a model on exactly this or refuses: computing elsewhere than was
 * asked for is a fault, never a fallback. Structured-cloneable.
 */
export interface ComputeTarget {
  readonly kind: DeviceKind;
  /** The coarsest arithmetic that the operator allows. */
  readonly precision: Precision;
  /** Whether ONNX models run in TensorRT on an NVIDIA GPU, with CUDA for what it lacks. */
  readonly tensorrt: boolean;
  /** Whether TensorFlow models may run on WebAssembly where the native binding is missing. */
  readonly wasm: boolean;
}

/** A CPU, and nothing that the operator has to allow. */
export const CPU_TARGET: ComputeTarget = { kind: 'cpu', precision: 'fp32', tensorrt: false, wasm: false };
