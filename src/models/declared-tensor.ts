/** An input or output of a model as its file declares it. */
export interface DeclaredTensor {
  readonly name: string;
  /** What a signature calls it, where that is another name. */
  readonly alias?: string;
  /** Of its elements, such as float32; undefined where the file does not say, "" where it is no tensor. */
  readonly type: string | undefined;
  /** Null in place of a dimension is one of any size; in place of the shape, that it is not declared. */
  readonly shape: readonly (number | null)[] | null;
}

export const shapeText = (shape: DeclaredTensor['shape']): string =>
  shape === null ? 'of any shape' : `[${shape.map((each) => each ?? '?').join(', ')}]`;

/** As people read it: `scores (float32 [?, 10])`. */
export function tensorText({ name, alias, type, shape }: DeclaredTensor): string {
  const what = type === '' ? 'no tensor' : `${type ?? 'tensor'} ${shapeText(shape)}`;
  return `${alias === undefined ? '' : `${alias}, node `}${name} (${what})`;
}

const HALF = 'convert it to half precision with float32 inputs and outputs (keep_io_types=True)';
const LABELS = 'labels are no scores: name the output with one score a class';

/** What to do about elements of another type than float32, by type. */
const CURES: Readonly<Record<'input' | 'output', Readonly<Record<string, string>>>> = {
  input: {
    float16: HALF,
    uint8: 'leave the step out that takes whole pixels: noise makes values between them and outside of them',
    float64: 'export it in float32',
  },
  output: {
    '': "it is a sequence or a map, as ZipMap of scikit-learn's classifiers makes them: export with zipmap off (options={'zipmap': False})",
    float16: HALF,
    float64: 'export it in float32',
    int64: LABELS,
    int32: LABELS,
    string: LABELS,
  },
};

/** Why a tensor cannot be the image or the scores by the type of its elements, and what to do; null where it can. */
export function wrongType({ name, type }: DeclaredTensor, as: 'input' | 'output'): string | null {
  if (type === undefined || type === 'float32') return null;
  const cure = CURES[as][type];
  return `${name} is ${type === '' ? 'no tensor' : type}; float32 is expected${cure === undefined ? '' : `: ${cure}`}`;
}
