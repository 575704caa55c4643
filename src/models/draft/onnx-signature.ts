import { graphInputs, type OnnxNode, type OnnxValue, readOnnx } from '../formats/onnx-file.ts';
import { onnxMaker } from '../formats/onnx-maker.ts';
import { isWhole } from '../formats/onnx-values.ts';
import type { DeclaredTensor } from '../declared-tensor.ts';
import type { FileSignature } from './file-signature.ts';

/** TensorProto.DataType of onnx.proto3, as far as networks have them at their ends. */
const TYPES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  16: 'bfloat16',
};

/** Operators that give the values that they take, each once, in some shape. */
const KEEPS_VALUES = new Set(['Identity', 'Dropout', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose']);

/** @throws Error where the bytes are no ONNX model with a graph */
export function onnxSignature(bytes: Uint8Array): FileSignature {
  const file = readOnnx(bytes);
  const { graph, opset_import: opsets } = file;
  const opset = opsets.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version;
  const maker = onnxMaker(file);
  const outputs = (graph.output ?? []).map(tensorOf);
  return {
    engine: 'onnx',
    format: opset === undefined ? 'ONNX' : `ONNX, opset ${opset}`,
    inputs: graphInputs(graph).map(tensorOf),
    outputs,
    madeBy: new Map(outputs.map(({ name }) => [name, operatorOf(name, maker)])),
  };
}

function operatorOf(output: string, maker: ReturnType<typeof onnxMaker>): string {
  let node = maker(output);
  // A file has no cycles, but nothing here relies on that.
  for (let steps = 0; node !== undefined && keepsValues(node) && steps < 64; steps += 1) node = maker(node.input?.[0] ?? '');
  return node?.op_type ?? '';
}

function keepsValues({ op_type: operator = '', attribute = [] }: OnnxNode): boolean {
  const to = attribute.find(({ name }) => name === 'to')?.i;
  return KEEPS_VALUES.has(operator) || (operator === 'Cast' && to !== undefined && !isWhole({ data_type: to }));
}

function tensorOf({ name = '', type }: OnnxValue): DeclaredTensor {
  const { elem_type: element, shape } = type?.tensor_type ?? {};
  if (element === undefined) return { name, type: type === undefined ? undefined : '', shape: null };
  const dimensions = shape?.dim?.map(({ dim_value: value, dim_param: free }) =>
    free !== undefined || value === undefined || value < 1 ? null : value,
  );
  return { name, type: TYPES[element] ?? `of type ${element}`, shape: dimensions ?? null };
}
