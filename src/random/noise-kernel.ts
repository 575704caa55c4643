import { type Cutpoints } from './cutpoints.ts';
import { instantiateKernel, type KernelExports } from './kernel-module.ts';
import { planOutput, type KernelOutput, type OutputPlan } from './kernel-output.ts';
import { lawTable, type LawTable } from './law-table.ts';
import { MAX_BATCH_BYTES, MAX_KERNEL_ELEMENTS, MAX_SAMPLES_OF_SCHEME } from './limits.ts';
import { NoiseRangeError, integerWithin } from './noise-range-error.ts';
import { purposeCode, type NoiseStream, type Purpose } from './noise-stream.ts';

export type { KernelOutput } from './kernel-output.ts';

const WORD = 2 ** 32;
const UINT32_MAX = WORD - 1;
const ALIGNMENT = 64;

/** One request for rows of noisy images. */
export interface FillOptions {
  /** First row of the batch to write. */
  readonly row: number;
  /** How many rows, 1 or more. */
  readonly rows: number;
  /** The clean image, one byte an element. It is copied by the call, so it may change or go afterwards. */
  readonly image: Uint8Array;
  readonly stream: NoiseStream;
  /** By name, or the code of a purpose without one, 0 to 255. */
  readonly purpose: Purpose | number;
  /** Row `row + r` becomes sample `firstSample + r`; samples are 0 to 2⁴⁸ − 1. */
  readonly firstSample: number;
}

/**
 * Makes batches of noisy images, bit for bit as reference.ts defines them, at some 600 to 900 million elements a
 * second: WASM SIMD code over a memory of its own, which holds the batch and never moves or grows.
 *
 * One instance belongs to one thread; instances share nothing.
 */
export class NoiseKernel {
  readonly elements: number;
  readonly rows: number;
  readonly #plan: OutputPlan;
  readonly #exports: KernelExports;
  readonly #buffer: ArrayBuffer;
  readonly #image: Uint8Array;
  readonly #batch: Float32Array | Int16Array;
  readonly #scales: number;
  readonly #offsets: number;
  #law: LawTable | undefined;

  /**
   * Allocates everything at once: rows · elements outputs, an image and 400 kB.
   *
   * @param options.elements of one image (height · width · channels), 1 to 2²²; any number, not only multiples of 8
   * @param options.rows of the batch, 1 or more; at most 2 GiB of outputs
   * @param options.output `unit` if left out
   * @throws {NoiseRangeError} if a limit is passed or an affine output does not fit the elements
   * @throws {RangeError} if the machine does not give that much memory
   */
  static create(options: { elements: number; rows: number; output?: KernelOutput }): NoiseKernel {
    const elements = integerWithin('elements', options.elements, 1, MAX_KERNEL_ELEMENTS);
    const plan = planOutput(options.output ?? { kind: 'unit' }, elements);
    const most = Math.floor(MAX_BATCH_BYTES / (elements * plan.bytesPerElement));
    return new NoiseKernel(elements, integerWithin('rows', options.rows, 1, most), plan);
  }

  private constructor(elements: number, rows: number, plan: OutputPlan) {
    this.elements = elements;
    this.rows = rows;
    this.#plan = plan;
    const image = aligned(elements);
    const constants = aligned(plan.scales.byteLength);
    const outputs = elements * rows;
    const { exports, buffer } = instantiateKernel(image + 2 * constants + outputs * plan.bytesPerElement);
    this.#exports = exports;
    this.#buffer = buffer;
    const heap = exports.heapAddress();
    this.#image = new Uint8Array(buffer, heap, elements);
    this.#scales = heap + image;
    this.#offsets = this.#scales + constants;
    new Float32Array(buffer, this.#scales, plan.scales.length).set(plan.scales);
    new Float32Array(buffer, this.#offsets, plan.offsets.length).set(plan.offsets);
    const out = this.#offsets + constants;
    this.#batch =
      plan.bytesPerElement === 2
        ? new Int16Array(buffer, out, outputs)
        : new Float32Array(buffer, out, outputs);
  }

  /**
   * The batch, row after row: a view of the kernel's memory, rows · elements long, the same object for ever. `fill`
   * writes it; engines may read it in place.
   *
   * @throws {TypeError} for a kernel of output `grid`, which has `grid` instead
   */
  get batch(): Float32Array {
    if (this.#batch instanceof Float32Array) return this.#batch;
    throw new TypeError('a kernel of output grid has no float32 batch; read its grid');
  }

  /** The batch of a kernel of output `grid`. @throws {TypeError} for any other kernel */
  get grid(): Int16Array {
    if (this.#batch instanceof Int16Array) return this.#batch;
    throw new TypeError('only a kernel of output grid has a grid; read its batch');
  }

  /** How many elements needed all 96 bits of their draws so far: some one in 10⁶ to 10⁷. */
  get deepDraws(): number {
    return this.#exports.countDeepDraws() >>> 0;
  }

  /**
   * The law of all following rows. Costs some 10 µs for a frozen law seen before, nothing for the one already set.
   *
   * @throws {NoiseRangeError} if the cutpoints are not a law (see `Cutpoints`) or |K| can exceed 8191
   */
  setLaw(cutpoints: Cutpoints): void {
    const table = lawTable(cutpoints);
    if (table === this.#law) return;
    const exports = this.#exports;
    new Int16Array(this.#buffer, exports.tableAddress(), table.firstDigit.length).set(table.firstDigit);
    new Uint32Array(this.#buffer, exports.highAddress(), table.high.length).set(table.high);
    new BigUint64Array(this.#buffer, exports.lowAddress(), table.low.length).set(table.low);
    exports.setRange(table.kmin, table.kmax);
    this.#law = table;
  }

  /**
   * Writes rows [row, row + rows) of the batch: image plus noise of samples firstSample, firstSample + 1, …; other rows
   * stay as they are. A row depends on image, stream, purpose, sample and law only, however the calls are cut.
   *
   * @throws {NoiseRangeError} if the rows leave the batch, the image is not of `elements` bytes, a sample, stream or
   *   purpose is out of range, or no law is set; nothing is written then
   */
  fill(options: FillOptions): void {
    const { image, stream, firstSample } = options;
    const row = integerWithin('row', options.row, 0, this.rows - 1);
    const rows = integerWithin('rows', options.rows, 1, this.rows - row);
    integerWithin('firstSample', firstSample, 0, MAX_SAMPLES_OF_SCHEME - rows);
    const code = purposeCode(options.purpose);
    this.#requireReady(image);
    requireStream(stream);
    this.#image.set(image);
    this.#exports.setStream(stream.key0, stream.key1, stream.stream);
    // the kernel counts in the low word of the sample index: a range that crosses a multiple of 2³² is cut there
    const untilWrap = WORD - (firstSample % WORD);
    const before = Math.min(rows, untilWrap);
    this.#write(row, before, firstSample, code);
    if (before < rows) this.#write(row + before, rows - before, firstSample + before, code);
  }

  #write(row: number, rows: number, firstSample: number, code: number): void {
    const { mode, run, bytesPerElement } = this.#plan;
    this.#exports.fill(
      this.#batch.byteOffset + row * this.elements * bytesPerElement,
      rows,
      this.elements,
      this.#image.byteOffset,
      firstSample % WORD,
      code * 2 ** 8 + Math.floor(firstSample / WORD) * 2 ** 16,
      mode,
      run,
      this.#scales,
      this.#offsets,
    );
  }

  #requireReady(image: Uint8Array): void {
    if (this.#law === undefined) throw new NoiseRangeError('law', 'none', 'set before the first fill');
    if (!(image instanceof Uint8Array) || image.length !== this.elements) {
      const given = image instanceof Uint8Array ? `${image.length}` : typeof image;
      throw new NoiseRangeError('image', given, `a Uint8Array of ${this.elements} elements`);
    }
  }
}

function requireStream({ key0, key1, stream }: NoiseStream): void {
  integerWithin('key0', key0, 0, UINT32_MAX);
  integerWithin('key1', key1, 0, UINT32_MAX);
  integerWithin('stream', stream, 0, UINT32_MAX);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
