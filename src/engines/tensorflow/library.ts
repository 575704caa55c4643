import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DomainError } from '../../errors.ts';
import type { ComputeTarget } from '../compute-target.ts';
import type { EngineIdentity } from '../engine.ts';

// The packages' own declarations need the browser's types; these are the parts that are used here.

export interface Tensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  dataSync(): ArrayLike<number>;
}

/** An input or output of a model as it declares it; -1 or null is a dimension of any size. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: string;
  readonly shape?: readonly (number | null)[] | null;
}

/** What `loadLayersModel` and `loadGraphModel` take in place of an address. */
export interface ModelSource {
  load(): Promise<object>;
}

/** What all kinds of models have. */
interface LibraryModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  dispose(): void;
}

export interface LayersModel extends LibraryModel {
  readonly inputNames?: readonly string[];
  readonly outputNames?: readonly string[];
  predict(input: Tensor, options: { readonly batchSize: number }): Tensor | readonly Tensor[];
}

export interface GraphModel extends LibraryModel {
  /** Runs the graph up to the node of that name. */
  execute(input: Tensor, output: string): Tensor | readonly Tensor[];
}

export interface SavedModel extends Pick<LibraryModel, 'dispose'> {
  predict(inputs: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>>;
}

export interface Tensorflow {
  readonly version: Readonly<Record<string, string>>;
  enableProdMode(): void;
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  backend(): { readonly isUsingGpuDevice?: boolean; readonly binding?: { readonly TF_Version: string } };
  tensor(values: Float32Array, shape: readonly number[], dtype: 'float32'): Tensor;
  tidy<T>(work: () => T): T;
  loadLayersModel(source: ModelSource): Promise<LayersModel>;
  loadGraphModel(source: ModelSource): Promise<GraphModel>;
  /** Only where the native binding is. */
  readonly node?: {
    loadSavedModel(folder: string, tags: readonly string[], signature: string): Promise<SavedModel>;
  };
}

/** A library that is ready to compute, and what it computes on. */
export interface LoadedTensorflow {
  readonly tf: Tensorflow;
  readonly identity: EngineIdentity;
}

const require = createRequire(import.meta.url);
const NATIVE = '@tensorflow/tfjs-node-gpu';
const WASM = '@tensorflow/tfjs-backend-wasm';

function refuse(detail: string, cause?: unknown): never {
  throw new DomainError('engine_unavailable', detail, [], { cause });
}

function missing(detail: string, cause?: unknown): never {
  throw new DomainError('engine_missing', detail, [], { cause });
}

/** Why the native binding cannot be loaded here, or null. */
function nativeObstacle(): string | null {
  const { node } = process.versions;
  const built = 'npm run tensorflow builds it';
  if (Number.parseInt(node, 10) > 22) {
    return `TensorFlow's native binding runs on Node 20 and 22, and this is Node ${node}`;
  }
  let folder;
  try {
    folder = dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
  } catch {
    return `the package ${NATIVE} is not installed (an optional dependency; npm ci installs it, and ${built})`;
  }
  const binding = join(folder, 'lib', 'napi-v8', 'tfjs_binding.node');
  return existsSync(binding) ? null : `TensorFlow's native binding is missing at ${binding}: ${built}`;
}

/**
 * Loads TensorFlow for a target: the native binding, and WebAssembly where that is missing and the target allows it.
 *
 * @throws DomainError `engine_missing` where neither is there, `engine_unavailable` where it would compute elsewhere than it
 *   is told to
 */
export async function loadTensorflow(target: ComputeTarget): Promise<LoadedTensorflow> {
  if (target.kind === 'webgpu') return refuse('TensorFlow models run on a CPU or on CUDA, not on WebGPU');
  const obstacle = nativeObstacle();
  if (obstacle === null) return loadNative(target);
  if (target.kind === 'cpu' && target.wasm) return loadTensorflowWasm();
  return missing(
    `${obstacle}. SMOOTHCERT_TENSORFLOW_WASM=allow runs TensorFlow.js models on WebAssembly, slower`,
  );
}

function loadNative({ kind, precision }: ComputeTarget): LoadedTensorflow {
  const tf = requireNative();
  const { isUsingGpuDevice: gpu = false, binding } = tf.backend();
  if (kind === 'cuda' && !gpu) {
    return refuse(
      'TensorFlow found no GPU that it can use (its CUDA build, driver and libraries are needed)',
    );
  }
  if (kind === 'cpu' && gpu) {
    return refuse(
      'TensorFlow would compute on a GPU where the CPU is meant: set CUDA_VISIBLE_DEVICES to nothing',
    );
  }
  return {
    tf,
    identity: {
      name: NATIVE,
      version: `${tf.version['tfjs-node']}+tensorflow.${binding?.TF_Version}`,
      provider: kind,
      precision: kind === 'cuda' ? precision : 'fp32',
    },
  };
}

/**
 * Loads TensorFlow.js on WebAssembly, without threads.
 *
 * @throws DomainError `engine_missing` where its packages are not installed, `engine_unavailable` where they do not start
 */
export async function loadTensorflowWasm(): Promise<LoadedTensorflow> {
  let tf: Tensorflow;
  let version: string;
  try {
    const wasm = require('@tensorflow/tfjs-backend-wasm') as {
      readonly version_wasm: string;
      setWasmPaths(folder: string): void;
    };
    tf = {
      ...(require('@tensorflow/tfjs-core') as object),
      ...(require('@tensorflow/tfjs-layers') as object),
      ...(require('@tensorflow/tfjs-converter') as object),
    } as Tensorflow;
    tf.enableProdMode();
    wasm.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '/'));
    version = wasm.version_wasm;
  } catch (cause) {
    return missing(`the packages of TensorFlow.js on WebAssembly are not installed: ${String(cause)}`, cause);
  }
  if (!(await tf.setBackend('wasm'))) return refuse('TensorFlow.js cannot start its WebAssembly backend');
  await tf.ready();
  return { tf, identity: { name: WASM, version, provider: 'wasm', precision: 'fp32' } };
}

function requireNative(): Tensorflow {
  // The package calls this function, which Node has deprecated and warns of, for each operation.
  const util = require('node:util') as { isNullOrUndefined: (value: unknown) => boolean };
  util.isNullOrUndefined = (value) => value == null;
  try {
    const library = require('@tensorflow/tfjs-node-gpu') as Tensorflow;
    library.enableProdMode();
    return library;
  } catch (cause) {
    return refuse(`TensorFlow's native binding is there and cannot be loaded: ${String(cause)}`, cause);
  }
}
