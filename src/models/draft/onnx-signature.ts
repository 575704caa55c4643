import { graphInputs, type OnnxValue, readOnnx } from '../formats/onnx-file.ts';
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

/** @throws Error where the bytes are no ONNX model with a graph */
export function onnxSignature(bytes: Uint8Array): FileSignature {
  const { graph, opset_import: opsets } = readOnnx(bytes);
  const opset = opsets.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version;
  const makers = new Map(
    (graph.node ?? []).flatMap(({ output = [], op_type: name = '' }) => output.map((each) => [each, name] as const)),
  );
  const outputs = (graph.output ?? []).map(tensorOf);
  return {
    engine: 'onnx',
    format: opset === undefined ? 'ONNX' : `ONNX, opset ${opset}`,
    inputs: graphInputs(graph).map(tensorOf),
    outputs,
    madeBy: new Map(outputs.flatMap(({ name }) => (makers.has(name) ? [[name, makers.get(name)!] as const] : []))),
  };
}

function tensorOf({ name = '', type }: OnnxValue): DeclaredTensor {
  const { elem_type: element, shape } = type?.tensor_type ?? {};
  if (element === undefined) return { name, type: type === undefined ? undefined : '', shape: null };
  const dimensions = shape?.dim?.map(({ dim_value: value, dim_param: free }) =>
    free !== undefined || value === undefined || value < 1 ? null : value,
  );
  return { name, type: TYPES[element] ?? `of type ${element}`, shape: dimensions ?? null };
}
