import { isAbsolute, normalize } from 'node:path';
import protobuf from 'protobufjs';

// The fields of the ONNX format (onnx/onnx.proto3) that the checks below need; a protobuf reader skips all others,
// the weights among them.
const schema = protobuf.parse(
  `
  syntax = "proto3";
  message Entry { string key = 1; string value = 2; }
  message Tensor { string name = 8; repeated Entry external_data = 13; int32 data_location = 14; }
  message Sparse { Tensor values = 1; Tensor indices = 2; }
  message Attribute {
    string name = 1; int64 i = 3; Tensor t = 5; Graph g = 6; repeated Tensor tensors = 10; repeated Graph graphs = 11;
    Sparse sparse_tensor = 22; repeated Sparse sparse_tensors = 23;
  }
  message Node { string name = 3; string op_type = 4; repeated Attribute attribute = 5; repeated string input = 1; }
  message Graph { repeated Node node = 1; repeated Tensor initializer = 5; repeated Sparse sparse_initializer = 15; }
  message Function { string name = 1; repeated Node node = 7; }
  message Model { int64 ir_version = 1; Graph graph = 7; repeated Function functions = 25; }
`,
  // Without it the fields would be named opType, externalData ... and read as missing.
  { keepCase: true },
).root;
const Model = schema.lookupType('Model');

interface TensorNode {
  readonly external_data?: readonly { readonly key?: string; readonly value?: string }[];
}
interface SparseNode {
  readonly values?: TensorNode;
  readonly indices?: TensorNode;
}
interface AttributeNode {
  readonly name?: string;
  readonly i?: number;
  readonly t?: TensorNode;
  readonly g?: GraphNode;
  readonly tensors?: readonly TensorNode[];
  readonly graphs?: readonly GraphNode[];
  readonly sparse_tensor?: SparseNode;
  readonly sparse_tensors?: readonly SparseNode[];
}
interface OperatorNode {
  readonly op_type?: string;
  readonly input?: readonly string[];
  readonly attribute?: readonly AttributeNode[];
}
interface GraphNode {
  readonly node?: readonly OperatorNode[];
  readonly initializer?: readonly TensorNode[];
  readonly sparse_initializer?: readonly SparseNode[];
}

/** Operators whose output is drawn at random: a base classifier must be a function (DESIGN of the noise scheme). */
const RANDOM_OPERATORS = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
]);

/** What an ONNX file says of itself that matters for safety and soundness. */
export interface OnnxInspection {
  /** Files that hold weights outside the model file, as written. */
  readonly externalFiles: readonly string[];
  /** Operators that draw random numbers or work in training mode. */
  readonly randomOperators: readonly string[];
}

/**
 * Reads an ONNX file's structure without running or allocating its weights.
 *
 * @throws Error where the bytes are no ONNX model with a graph
 */
export function inspectOnnx(bytes: Uint8Array): OnnxInspection {
  const model = Model.toObject(Model.decode(bytes), { longs: Number }) as {
    ir_version?: number;
    graph?: GraphNode;
    functions?: readonly { readonly node?: readonly OperatorNode[] }[];
  };
  if (model.graph?.node === undefined) throw new Error('the file has no ONNX graph');
  const externalFiles = new Set<string>();
  const randomOperators = new Set<string>();

  const visitTensor = (tensor: TensorNode | undefined): void => {
    for (const { key, value } of tensor?.external_data ?? []) {
      if (key === 'location') externalFiles.add(value ?? '');
    }
  };
  const visitSparse = (sparse: SparseNode | undefined): void => {
    visitTensor(sparse?.values);
    visitTensor(sparse?.indices);
  };
  const visitAttribute = (attribute: AttributeNode): void => {
    visitTensor(attribute.t);
    visitSparse(attribute.sparse_tensor);
    if (attribute.g !== undefined) visitGraph(attribute.g);
    attribute.tensors?.forEach(visitTensor);
    attribute.sparse_tensors?.forEach(visitSparse);
    attribute.graphs?.forEach(visitGraph);
  };
  const visitNode = (node: OperatorNode): void => {
    const name = node.op_type ?? '';
    const trains = node.attribute?.some(
      (attribute) => attribute.name === 'training_mode' && attribute.i === 1,
    );
    // Dropout takes its mode as a third input; inference exports leave that input out.
    const drops = name === 'Dropout' && (node.input?.[2] ?? '') !== '';
    if (RANDOM_OPERATORS.has(name) || trains === true || drops) randomOperators.add(name);
    node.attribute?.forEach(visitAttribute);
  };
  function visitGraph(graph: GraphNode): void {
    graph.initializer?.forEach(visitTensor);
    graph.sparse_initializer?.forEach(visitSparse);
    graph.node?.forEach(visitNode);
  }
  visitGraph(model.graph);
  for (const { node } of model.functions ?? []) node?.forEach(visitNode);
  return { externalFiles: [...externalFiles], randomOperators: [...randomOperators] };
}

/** Whether a relative path, as written in a model, stays inside the folder it is resolved against. */
export function staysInside(path: string): boolean {
  if (path === '' || isAbsolute(path) || path.includes('\\')) return false;
  return !normalize(path).split('/').includes('..');
}
