import ort from 'onnxruntime-node';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { readOnnx } from '../../src/models/formats/onnx-file.ts';
import { onnxMixing } from '../../src/models/mixing/onnx/analyse.ts';
import {
  attribute,
  ELEMENT,
  floats,
  integers,
  onnxFile,
  type OnnxNode,
  type OnnxTensor,
  value,
} from '../support/onnx-file.ts';

const SHAPE = [2, 3] as const;
const VALUES = 6;

/** One more operator. Axes and sizes are drawn without knowing whether they fit. */
interface Step {
  readonly nodes: (input: string, output: string) => readonly OnnxNode[];
  readonly weights: readonly OnnxTensor[];
}

const axis = fc.integer({ min: -2, max: 3 });
const small = fc.integer({ min: -2, max: 3 });
const orders = fc.constantFrom([0, 1, 2], [1, 0, 2], [2, 1, 0], [0, 2, 1], [1, 2, 0], [2, 0, 1], [1, 0], [0, 1], [0, 1, 3, 2], [1, 0, 2, 3]); // prettier-ignore
const sizes = fc.array(fc.constantFrom(-1, 0, 1, 2, 3, 6), { minLength: 1, maxLength: 4 });
let made = 0;

const unary = (op_type: string, ...attributes: OnnxNode['attribute'] & object): Step => ({
  nodes: (input, output) => [{ op_type, input: [input], output: [output], attribute: attributes }],
  weights: [],
});
const withValues = (op_type: string, lists: readonly (readonly number[] | number)[], ...attributes: OnnxNode['attribute'] & object): Step => {
  const weights = lists.map((each) => integers(`setting ${(made += 1)}`, each));
  return {
    nodes: (input, output) => [{ op_type, input: [input, ...weights.map(({ name }) => name!)], output: [output], attribute: attributes }],
    weights,
  };
}; // prettier-ignore
const withWeight = (op_type: string, dims: readonly number[], ...attributes: OnnxNode['attribute'] & object): Step => {
  const name = `weight ${(made += 1)}`;
  const count = dims.reduce((all, each) => all * each, 1);
  const weight = floats(name, dims, Array.from({ length: count }, (_, index) => Math.sin(index + 1)));
  return {
    nodes: (input, output) => [{ op_type, input: [input, name], output: [output], attribute: attributes }],
    weights: [weight],
  };
}; // prettier-ignore
/** A weight whose slices may be equal: then it is the same for each place of a batch that the file fixes. */
const withLevels = (
  op_type: string,
  dims: readonly number[],
  levels: readonly number[],
  ...attributes: OnnxNode['attribute'] & object
): Step => {
  const name = `weight ${(made += 1)}`;
  const count = dims.reduce((all, each) => all * each, 1);
  const values = Float32Array.from({ length: count }, (_, index) => levels[index % levels.length]!);
  const weight: OnnxTensor = {
    name,
    dims,
    data_type: ELEMENT.float,
    raw_data: new Uint8Array(values.buffer),
  };
  return {
    nodes: (input, output) => [{ op_type, input: [input, name], output: [output], attribute: attributes }],
    weights: [weight],
  };
};
const levels = fc.constantFrom([1], [1, 2], [1, 2, 3]);
/** An operator of the tensor and of the same tensor after another one. */
const withItself = (op_type: string, other: Step, ...attributes: OnnxNode['attribute'] & object): Step => ({
  nodes: (input, output) => [
    ...other.nodes(input, `${output} other`),
    { op_type, input: [input, `${output} other`], output: [output], attribute: attributes },
  ],
  weights: other.weights,
});
/** Sizes that are computed of the batch: [N, ...rest], or [...rest, N]. */
const fromBatch = (rest: readonly number[], first: boolean): Step => {
  const name = `rest ${(made += 1)}`;
  const zero = `zero ${made}`;
  return {
    nodes: (input, output) => [
      { op_type: 'Shape', input: ['x'], output: [`${output} shape`] },
      { op_type: 'Gather', input: [`${output} shape`, zero], output: [`${output} n`] },
      { op_type: 'Concat', input: first ? [`${output} n`, name] : [name, `${output} n`], output: [`${output} to`], attribute: [attribute.int('axis', 0)] },
      { op_type: 'Reshape', input: [input, `${output} to`], output: [output] },
    ],
    weights: [integers(name, rest), integers(zero, [0])],
  };
}; // prettier-ignore

const { int, ints, text } = attribute;
const simple: fc.Arbitrary<Step> = fc.oneof(
  orders.map((perm) => unary('Transpose', ints('perm', perm))),
  sizes.map((to) => withValues('Reshape', [to])),
  fc.tuple(sizes, fc.boolean()).map(([rest, first]) => fromBatch(rest, first)),
  axis.map((at) => unary('Flatten', int('axis', at))),
  fc.constantFrom('Relu', 'Neg', 'Tanh').map((name) => unary(name)),
  axis.map((at) => unary('Softmax', int('axis', at))),
  fc.tuple(axis, fc.constantFrom(0, 1)).map(([at, keep]) => unary('ReduceMean', ints('axes', [at]), int('keepdims', keep))), // prettier-ignore
  fc.constantFrom(0, 1).map((keep) => unary('ReduceMax', int('keepdims', keep))),
  axis.map((at) => withValues('CumSum', [at])),
  fc.tuple(small, axis).map(([index, at]) => withValues('Gather', [index], int('axis', at))),
  fc.tuple(small, axis).map(([index, at]) => withValues('Gather', [[index, 0]], int('axis', at))),
  fc.tuple(small, small, axis, fc.constantFrom(1, 1, -1, 2)).map(([from, to, at, step]) => withValues('Slice', [[from], [to], [at], [step]])), // prettier-ignore
  axis.map((at) => withValues('Unsqueeze', [[at]])),
  axis.map((at) => withValues('Squeeze', [[at]])),
  fc.tuple(fc.constantFrom(1, 2), fc.constantFrom(1, 2)).map(([a, b]) => withValues('Tile', [[a, b, 1]])),
  fc.tuple(axis, fc.constantFrom(1, 2)).map(([at, count]) => withValues('TopK', [[count]], int('axis', at))),
  fc
    .constantFrom([0, 1, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0], [0, 1, 1, 0])
    .map((pads) => withValues('Pad', [pads])),
  fc.constantFrom([2, 1, 1, 1], [1, 2, 3], [2, 1, 3]).map((to) => withValues('Expand', [to])),
  axis.map((at) => unary('LpNormalization', int('axis', at))),
  axis.map((at) => withWeight('LayerNormalization', [1], int('axis', at))),
  fc.constantFrom('GlobalAveragePool', 'MeanVarianceNormalization').map((name) => unary(name)),
  fc.constant(unary('LRN', int('size', 3))),
  fc.constantFrom(1, 2).map((window) => unary('MaxPool', ints('kernel_shape', [window]))),
  fc.constantFrom('abc->ab', 'abc->cab', 'abc->bc', 'ab->ba', 'a...->a...').map((rule) => unary('Einsum', text('equation', rule))), // prettier-ignore
  fc.constantFrom([1, 2, 3], [3], [2, 1], [2, 3], [6]).map((dims) => withWeight('Add', dims)),
  fc.tuple(fc.constantFrom([2, 1, 1], [3, 2, 1], [6, 1], [2, 3], [3, 2, 3]), levels).map(([dims, each]) => withLevels('Mul', dims, each)), // prettier-ignore
  fc.tuple(fc.constantFrom([2, 2, 3], [3, 2, 3], [2, 1]), levels, axis).map(([dims, each, at]) => withLevels('Concat', dims, each, int('axis', at))), // prettier-ignore
  fc.constantFrom([3, 2], [2, 3], [6, 2], [2, 2, 3], [3]).map((dims) => withWeight('MatMul', dims)),
  fc.constantFrom([2, 2, 2], [2, 2, 1], [1, 3, 2]).map((dims) => withWeight('Conv', dims)),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: simple },
  { weight: 1, arbitrary: fc.tuple(simple, fc.constantFrom('Add', 'Sub', 'MatMul')).map(([other, name]) => withItself(name, other)) }, // prettier-ignore
  {
    weight: 1,
    arbitrary: fc.tuple(simple, axis).map(([other, at]) => withItself('Concat', other, int('axis', at))),
  },
);

function fileOf(steps: readonly Step[], batch: number | string = 'N'): Uint8Array {
  const names = steps.map((_, index) => (index === steps.length - 1 ? 'y' : `h${index}`));
  return onnxFile({
    node: steps.flatMap(({ nodes }, index) => nodes(index === 0 ? 'x' : names[index - 1]!, names[index]!)),
    initializer: steps.flatMap(({ weights }) => weights),
    input: [value('x', [batch, ...SHAPE])],
    output: [{ name: 'y', type: { tensor_type: { elem_type: 1 } } } as never],
  });
}

/** Rows of values that no operator here leaves equal by chance. */
const row = (seed: number): number[] =>
  Array.from({ length: VALUES }, (_, index) => Math.sin(seed * 7 + index * 3) * 2);

async function run(session: ort.InferenceSession, rows: readonly number[][]): Promise<ort.Tensor> {
  const x = new ort.Tensor('float32', Float32Array.from(rows.flat()), [rows.length, ...SHAPE]);
  return (await session.run({ x }))['y']!;
}

it('a graph is said to keep rows apart only where ONNX Runtime gives each row the scores that it has alone', async () => {
  let independent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const file = fileOf(steps);
      if (onnxMixing(readOnnx(file), null).verdict !== 'independent') return;
      // A graph that the runtime refuses, or cannot run for one row, gets no further with it.
      const session = await ort.InferenceSession.create(file, { logSeverityLevel: 4 }).catch(() => null);
      if (session === null) return;
      try {
        const alone = await run(session, [row(1)]).catch(() => null);
        if (alone === null) return;
        independent += 1;
        for (const companions of [1, 2, 5]) {
          for (const place of [0, companions]) {
            const rows = Array.from({ length: companions }, (_, index) => row(10 + index)).toSpliced(
              place,
              0,
              row(1),
            );
            const among = await run(session, rows);
            expect(among.dims).toEqual([rows.length, ...alone.dims.slice(1)]);
            const width = among.data.length / rows.length;
            const found = (among.data as Float32Array).subarray(place * width, (place + 1) * width);
            for (const [index, each] of found.entries())
              expect(each).toBeCloseTo(alone.data[index] as number, 4);
          }
        }
      } finally {
        await session.release();
      }
    }),
    { numRuns: 2500 },
  );
  // Or else nothing was tested.
  expect(independent).toBeGreaterThan(50);
});

it('and of a batch that the file fixes, wherever a row stands in it and whatever stands beside', async () => {
  let independent = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(2, 3, 6),
      async (steps, batch) => {
        const file = fileOf(steps, batch);
        if (onnxMixing(readOnnx(file), null).verdict !== 'independent') return;
        const session = await ort.InferenceSession.create(file, { logSeverityLevel: 4 }).catch(() => null);
        if (session === null) return;
        try {
          const at = async (place: number, others: number): Promise<number[] | null> => {
            const rows = Array.from({ length: batch }, (_, index) =>
              row(index === place ? 1 : others + index),
            );
            const scores = await run(session, rows).catch(() => null);
            if (scores === null) return null;
            expect(scores.dims[0]).toBe(batch);
            const width = scores.data.length / batch;
            return [...(scores.data as Float32Array).subarray(place * width, (place + 1) * width)];
          };
          const first = await at(0, 10);
          if (first === null) return;
          independent += 1;
          for (const [place, others] of [
            [0, 20],
            [batch - 1, 10],
            [1, 30],
          ] as const) {
            const found = await at(place, others);
            expect(found!.length).toBe(first.length);
            for (const [index, each] of found!.entries()) expect(each).toBeCloseTo(first[index]!, 4);
          }
        } finally {
          await session.release();
        }
      },
    ),
    { numRuns: 2500 },
  );
  expect(independent).toBeGreaterThan(50);
}, 120_000);
