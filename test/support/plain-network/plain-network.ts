/** Channels, height and width of what flows between two layers. */
export interface Extent {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** A two-dimensional convolution. */
export interface Convolution {
  readonly kind: 'convolution';
  readonly filters: number;
  /** Height and width. */
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Zeros added at the top, left, bottom and right, as ONNX orders them. */
  readonly pads: readonly [number, number, number, number];
  /** [filter][channel][row][column]. */
  readonly weights: Float32Array;
  readonly biases: Float32Array;
  readonly relu: boolean;
}

/** A dense layer; the first of them takes the elements in the order channel, row, column. */
export interface Dense {
  readonly kind: 'dense';
  readonly units: number;
  /** [unit][element]. */
  readonly weights: Float32Array;
  readonly biases: Float32Array;
  readonly relu: boolean;
}

export type Layer = Convolution | Dense;

/** A plain network, apart from any format: convolutions, then dense layers, in float32. */
export interface PlainNetwork {
  readonly input: Extent;
  readonly layers: readonly Layer[];
}

/** What each layer takes, and at the end what the last one gives. */
export function extentsOf({ input, layers }: PlainNetwork): Extent[] {
  const extents = [input];
  for (const layer of layers) {
    const { height, width } = extents.at(-1)!;
    if (layer.kind === 'dense') {
      extents.push({ channels: layer.units, height: 1, width: 1 });
      continue;
    }
    const [top, left, bottom, right] = layer.pads;
    const steps = (size: number, kernel: number, stride: number): number =>
      Math.floor((size - kernel) / stride) + 1;
    extents.push({
      channels: layer.filters,
      height: steps(height + top + bottom, layer.kernel[0], layer.strides[0]),
      width: steps(width + left + right, layer.kernel[1], layer.strides[1]),
    });
  }
  return extents;
}

export function sizeOf({ channels, height, width }: Extent): number {
  return channels * height * width;
}
