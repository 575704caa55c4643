import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { type GraphModel, loadTensorflow, type Tensorflow } from '../../src/engines/tensorflow/library.ts';
import { readTensorflowJson } from '../../src/models/formats/tensorflow-json.ts';
import { tensorflowMixing } from '../../src/models/mixing/tensorflow/analyse.ts';
import { imageInput, manifestOf } from '../support/model-folder.ts';
import {
  constant,
  FLOAT,
  type GraphAttribute,
  graphModel,
  type GraphNode,
  INT,
} from '../support/tensorflow-graph.ts';

const SHAPE = [2, 3, 1] as const;
const VALUES = 6;

/** One more operator. Axes and sizes are drawn without knowing whether they fit. */
type Step = (input: string, output: string) => readonly GraphNode[];

let made = 0;
const numbers = (values: readonly number[] | number): GraphNode => {
  const list = typeof values === 'number' ? [values] : values;
  return constant(`c${(made += 1)}`, { dtype: 'DT_INT32', dims: typeof values === 'number' ? [] : [list.length], values: list });
}; // prettier-ignore
const weight = (dims: readonly number[]): GraphNode => {
  const count = dims.reduce((all, each) => all * each, 1);
  return constant(`c${(made += 1)}`, { dtype: 'DT_FLOAT', dims, values: Array.from({ length: count }, (_, index) => Math.sin(index + 1)) });
}; // prettier-ignore
type Attributes = Record<string, GraphAttribute>;

const step =
  (op: string, settings: readonly (readonly number[] | number)[], attr: Attributes = {}, before = false): Step =>
  (input, output) => {
    const constants = settings.map(numbers);
    const names = constants.map(({ name }) => name);
    return [...constants, { name: output, op, input: before ? [...names, input] : [input, ...names], attr: { T: FLOAT, Tidx: INT, ...attr } }];
  }; // prettier-ignore
const withWeight =
  (op: string, dims: readonly number[], attr: Attributes = {}): Step =>
  (input, output) => {
    const one = weight(dims);
    return [one, { name: output, op, input: [input, one.name], attr: { T: FLOAT, ...attr } }];
  };
/** An operator of the tensor and of the same tensor after another one. */
const withItself =
  (op: string, other: Step, attr: Attributes = {}, setting?: number): Step =>
  (input, output) => {
    const last = setting === undefined ? [] : [numbers(setting)];
    const inputs = [input, `${output}o`, ...last.map(({ name }) => name)];
    return [
      ...other(input, `${output}o`),
      ...last,
      { name: output, op, input: inputs, attr: { T: FLOAT, ...attr } },
    ];
  };
const masks = (begin: number, end: number, shrink: number): Attributes => ({
  begin_mask: { i: begin }, end_mask: { i: end }, ellipsis_mask: { i: 0 }, new_axis_mask: { i: 0 }, shrink_axis_mask: { i: shrink },
}); // prettier-ignore
/** Sizes that are computed of the batch: [N, ...rest]. */
const fromBatch =
  (rest: readonly number[]): Step =>
  (input, output) => {
    const [zero, one, more, axis] = [numbers([0]), numbers([1]), numbers(rest), numbers(0)];
    return [
      zero, one, more, axis,
      { name: `${output}s`, op: 'Shape', input: ['x'], attr: { T: FLOAT } },
      { name: `${output}n`, op: 'StridedSlice', input: [`${output}s`, zero.name, one.name, one.name], attr: { ...masks(0, 0, 0), T: INT } },
      { name: `${output}t`, op: 'ConcatV2', input: [`${output}n`, more.name, axis.name], attr: { N: { i: 2 }, T: INT } },
      { name: output, op: 'Reshape', input: [input, `${output}t`], attr: { T: FLOAT } },
    ];
  }; // prettier-ignore

const axis = fc.integer({ min: -2, max: 3 });
const orders = fc.constantFrom([0, 1, 2, 3], [1, 0, 2, 3], [0, 2, 1, 3], [3, 1, 2, 0], [2, 1, 0], [0, 2, 1], [1, 0, 2], [1, 0]); // prettier-ignore
const sizes = fc.array(fc.constantFrom(-1, 1, 2, 3, 6), { minLength: 1, maxLength: 4 });
const small = fc.integer({ min: -1, max: 2 });
const mask = fc.integer({ min: 0, max: 3 });
const SAME = { padding: { text: 'SAME' }, data_format: { text: 'NHWC' }, strides: { ints: [1, 1, 1, 1] }, dilations: { ints: [1, 1, 1, 1] } } as const; // prettier-ignore

const simple: fc.Arbitrary<Step> = fc.oneof(
  orders.map((order) => step('Transpose', [order])),
  sizes.map((to) => step('Reshape', [to])),
  sizes.map(fromBatch),
  fc.constantFrom('Relu', 'Neg', 'Tanh', 'Softmax').map((op) => step(op, [])),
  fc.tuple(fc.constantFrom('Mean', 'Max', 'Sum'), axis, fc.boolean()).map(([op, at, b]) => step(op, [[at]], { keep_dims: { b } })), // prettier-ignore
  axis.map((at) => step('Cumsum', [at], { exclusive: { b: false }, reverse: { b: false } })),
  axis.map((at) => step('ExpandDims', [at])),
  axis.map((at) => step('Squeeze', [], { squeeze_dims: { ints: [at] } })),
  fc.tuple(small, axis).map(([index, at]) => step('GatherV2', [[index, 0], at], { batch_dims: { i: 0 } })),
  fc.tuple(fc.array(small, { minLength: 2, maxLength: 2 }), mask, mask, mask).map(([from, b, e, s]) => step('StridedSlice', [from, [2, 2], [1, 1]], masks(b, e, s))), // prettier-ignore
  axis.map((at) => step('Split', [at], { num_split: { i: 2 } }, true)),
  fc.constantFrom([1, 1, 2, 1], [2, 1, 1, 1], [1, 2]).map((times) => step('Tile', [times])),
  axis.map((at) => step('ReverseV2', [[at]])),
  fc.constantFrom([2, 3, 1], [3, 1], [1], [2, 1, 1], [6]).map((dims) => withWeight('AddV2', dims)),
  fc.constantFrom([3, 2], [1, 2], [6, 2]).map((dims) => withWeight('MatMul', dims, { transpose_a: { b: false }, transpose_b: { b: false } })), // prettier-ignore
  fc.constantFrom([2, 2, 1, 2], [1, 1, 1, 1]).map((dims) => withWeight('Conv2D', dims, SAME)),
  fc
    .constantFrom([1, 2, 2, 1], [1, 1, 1, 1])
    .map((ints) => step('MaxPool', [], { ...SAME, ksize: { ints } })),
);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: simple },
  { weight: 1, arbitrary: fc.tuple(simple, fc.constantFrom('AddV2', 'Sub', 'Mul')).map(([other, op]) => withItself(op, other)) }, // prettier-ignore
  { weight: 1, arbitrary: fc.tuple(simple, fc.boolean()).map(([other, b]) => withItself('BatchMatMulV2', other, { adj_x: { b: false }, adj_y: { b } })) }, // prettier-ignore
  { weight: 1, arbitrary: fc.tuple(simple, axis).map(([other, at]) => withItself('ConcatV2', other, { N: { i: 2 } }, at)) }, // prettier-ignore
);

function filesOf(steps: readonly Step[]): Record<string, Uint8Array> {
  const names = steps.map((_, index) => (index === steps.length - 1 ? 'y' : `h${index}`));
  const input: GraphNode = {
    name: 'x',
    op: 'Placeholder',
    attr: { dtype: FLOAT, shape: { shape: [-1, ...SHAPE] } },
  };
  return graphModel([input, ...steps.flatMap((each, index) => each(index === 0 ? 'x' : names[index - 1]!, names[index]!))]); // prettier-ignore
}

const manifest = manifestOf('graph', {
  engine: 'tensorflow',
  files: { 'model.json': Uint8Array.of(0) },
  input: imageInput(2, 3, 1, 'NHWC'),
  classes: 2,
  output: { name: 'y' },
});
/** Rows of values that no operator here leaves equal by chance. */
const row = (seed: number): number[] =>
  Array.from({ length: VALUES }, (_, index) => Math.sin(seed * 7 + index * 3) * 2);

async function load(tf: Tensorflow, files: Record<string, Uint8Array>): Promise<GraphModel> {
  const { weightFiles, artifacts } = readTensorflowJson(files['model.json']!, 'model.json');
  const bytes = Uint8Array.from(Buffer.concat(weightFiles.map((each) => files[each]!)));
  return tf.loadGraphModel({ load: () => Promise.resolve({ ...artifacts, weightData: bytes.buffer }) });
}

function run(tf: Tensorflow, model: GraphModel, rows: readonly number[][]): { shape: readonly number[]; data: number[] } | null {
  try {
    return tf.tidy(() => {
      const x = tf.tensor(Float32Array.from(rows.flat()), [rows.length, ...SHAPE], 'float32');
      const scores = [model.execute(x, 'y')].flat()[0]!;
      return { shape: scores.shape, data: Array.from(scores.dataSync()) };
    });
  } catch {
    return null;
  }
} // prettier-ignore

// Kernels of WebAssembly do not check what they are given, and most of these graphs do not fit together.
it('a graph is said to keep rows apart only where TensorFlow gives each row the scores that it has alone', async () => {
  const { tf } = await loadTensorflow(CPU_TARGET);
  let independent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 5 }), async (steps) => {
      const files = filesOf(steps);
      if (tensorflowMixing(new Map(Object.entries(files)), manifest).verdict !== 'independent') return;
      // A graph that the library refuses, or cannot run for one row, gets no further with it.
      const model = await load(tf, files).catch(() => null);
      if (model === null) return;
      try {
        const alone = run(tf, model, [row(1)]);
        if (alone === null) return;
        independent += 1;
        for (const companions of [1, 2, 5]) {
          for (const place of [0, companions]) {
            const rows = Array.from({ length: companions }, (_, index) => row(10 + index)).toSpliced(
              place,
              0,
              row(1),
            );
            const among = run(tf, model, rows);
            expect(among?.shape).toEqual([rows.length, ...alone.shape.slice(1)]);
            const width = among!.data.length / rows.length;
            for (const [index, each] of among!.data.slice(place * width, (place + 1) * width).entries())
              expect(each).toBeCloseTo(alone.data[index]!, 4);
          }
        }
      } finally {
        model.dispose();
      }
    }),
    { numRuns: 3000 },
  );
  // Or else nothing was tested.
  expect(independent).toBeGreaterThan(200);
});
