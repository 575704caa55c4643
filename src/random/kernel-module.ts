import { NOISE_KERNEL_WASM } from './noise-kernel.wasm.ts';

/** The little of the WebAssembly API that the kernel needs; no library of this compiler set-up declares it. */
interface KernelMemory {
  readonly buffer: ArrayBuffer;
}

declare const WebAssembly: {
  Memory: new (descriptor: { initial: number; maximum: number }) => KernelMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** What noise-kernel.as.ts exports. Addresses and counts are bytes and elements; nothing is checked inside. */
export interface KernelExports {
  tableAddress(): number;
  highAddress(): number;
  lowAddress(): number;
  heapAddress(): number;
  setRange(kmin: number, kmax: number): void;
  setStream(key0: number, key1: number, stream: number): void;
  fill(
    out: number,
    rows: number,
    elements: number,
    image: number,
    firstSample: number,
    tag: number,
    mode: number,
    run: number,
    scales: number,
    offsets: number,
  ): void;
  countDeepDraws(): number;
}

export interface KernelInstance {
  readonly exports: KernelExports;
  /** Never grows, so views of it stay attached. */
  readonly buffer: ArrayBuffer;
}

const PAGE_BYTES = 65536;
/** The kernel's own part of the memory, before `heapAddress`. */
const KERNEL_PAGES = 6;

let compiled: object | undefined;

function compile(): object {
  const bytes = Uint8Array.from(atob(NOISE_KERNEL_WASM), (character) => character.charCodeAt(0));
  return new WebAssembly.Module(bytes);
}

/**
 * A kernel with a memory of its own, of which at least `heapBytes` from `heapAddress` on are the caller's. The code is compiled once a thread.
 *
 * @throws {RangeError} if the machine does not give that much memory
 */
export function instantiateKernel(heapBytes: number): KernelInstance {
  compiled ??= compile();
  const pages = KERNEL_PAGES + Math.ceil(heapBytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  return { exports: instance.exports as KernelExports, buffer: memory.buffer };
}
