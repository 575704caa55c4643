import { NoiseRangeError, integerWithin } from './noise-range-error.ts';

/**
 * What the kernel writes for i = x + K, x the pixel 0 … 255 and K the noise:
 * - `unit`: the float32 nearest to i/255;
 * - `affine`: f32(i) · scale[c] + offset[c] in float32 with two roundings, c the channel. `planar` means that an
 *   image holds one channel after the other (NCHW), `interleaved` that the channels of a pixel are neighbours (NHWC).
 *   To normalise with mean and std, scale[c] = 1/(255 std[c]) and offset[c] = −mean[c]/std[c];
 * - `grid`: i itself as int16, for tests and viewing.
 */
export type KernelOutput =
  | { readonly kind: 'unit' }
  | {
      readonly kind: 'affine';
      readonly scale: readonly number[];
      readonly offset: readonly number[];
      readonly channelStride: 'planar' | 'interleaved';
    }
  | { readonly kind: 'grid' };

/** An output in the kernel's terms. */
export interface OutputPlan {
  readonly mode: number;
  /** Elements after which the channel changes (planar) or the constants repeat (interleaved). */
  readonly run: number;
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
  readonly bytesPerElement: number;
}

/** The modes of `fill` in noise-kernel.as.ts. */
const MODE = { grid: 0, unit: 1, planar: 2, interleaved: 3 } as const;

/** Far above images of any kind; it bounds the constants that the kernel stores. */
const MAX_CHANNELS = 1024;

/** The kernel takes eight elements at a time, so interleaved constants repeat over eight pixels. */
const GROUP = 8;

const NONE = new Float32Array(0);

/**
 * @param elements of one image; a multiple of the number of channels for `affine`
 * @throws {NoiseRangeError} if channels, scales or offsets do not fit together or are not finite float32 numbers
 */
export function planOutput(output: KernelOutput, elements: number): OutputPlan {
  if (output.kind === 'affine') return planAffine(output, elements);
  const bytesPerElement = output.kind === 'grid' ? 2 : 4;
  return { mode: MODE[output.kind], run: elements, scales: NONE, offsets: NONE, bytesPerElement };
}

function planAffine(output: Extract<KernelOutput, { kind: 'affine' }>, elements: number): OutputPlan {
  const { scale, offset, channelStride } = output;
  const channels = integerWithin('number of scales', scale.length, 1, MAX_CHANNELS);
  if (offset.length !== channels) {
    throw new NoiseRangeError('number of offsets', offset.length, `that of scales, ${channels}`);
  }
  if (elements % channels !== 0) {
    throw new NoiseRangeError('elements', elements, `a multiple of the ${channels} channels`);
  }
  const planar = channelStride === 'planar';
  const repeats = planar ? 1 : GROUP;
  return {
    mode: MODE[channelStride],
    run: planar ? elements / channels : channels * GROUP,
    scales: repeated('scale', scale, repeats),
    offsets: repeated('offset', offset, repeats),
    bytesPerElement: 4,
  };
}

function repeated(parameter: string, numbers: readonly number[], repeats: number): Float32Array {
  const channels = numbers.length;
  return Float32Array.from({ length: channels * repeats }, (_, i) => {
    const rounded = Math.fround(numbers[i % channels]!);
    if (!Number.isFinite(rounded))
      throw new NoiseRangeError(parameter, numbers[i % channels], 'a finite float32');
    return rounded;
  });
}
