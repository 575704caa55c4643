import protobuf from 'protobufjs';

// The part of the ONNX format (onnx/onnx.proto3, IR version 10) that small hand-made models need. Written apart from
// the reader in src/models, so that a field number that is wrong there is found.
const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message Entry { string key = 1; string value = 2; }
  message Tensor {
    repeated int64 dims = 1; int32 data_type = 2; repeated float float_data = 4 [packed = true];
    repeated int32 int32_data = 5 [packed = true]; repeated int64 int64_data = 7 [packed = true]; string name = 8;
    bytes raw_data = 9; repeated Entry external_data = 13; int32 data_location = 14;
  }
  message Sparse { Tensor values = 1; Tensor indices = 2; repeated int64 dims = 3; }
  message Attribute {
    string name = 1; float f = 2; int64 i = 3; bytes s = 4; Tensor t = 5; Graph g = 6; repeated float floats = 7;
    repeated int64 ints = 8; repeated Tensor tensors = 10; repeated Graph graphs = 11; int32 type = 20;
    string ref_attr_name = 21; Sparse sparse_tensor = 22; repeated Sparse sparse_tensors = 23;
  }
  message Node {
    repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
    repeated Attribute attribute = 5; string domain = 7;
  }
  message Dimension { int64 dim_value = 1; string dim_param = 2; }
  message Shape { repeated Dimension dim = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message SequenceType { Type elem_type = 1; }
  message MapType { int32 key_type = 1; Type value_type = 2; }
  message Type { oneof value { TensorType tensor_type = 1; SequenceType sequence_type = 4; MapType map_type = 5; } }
  message ValueInfo { string name = 1; Type type = 2; }
  message Graph {
    repeated Node node = 1; string name = 2; repeated Tensor initializer = 5; repeated ValueInfo input = 11;
    repeated ValueInfo output = 12; repeated Sparse sparse_initializer = 15;
  }
  message Function {
    string name = 1; repeated string input = 4; repeated string output = 5; repeated Node node = 7;
    repeated Opset opset_import = 9; string domain = 10;
  }
  message Opset { string domain = 1; int64 version = 2; }
  message Model { int64 ir_version = 1; string producer_name = 2; Graph graph = 7; repeated Opset opset_import = 8;
    repeated Function functions = 25; }
`,
  { keepCase: true },
);
const Model = root.lookupType('Model');

/** Element types of onnx.proto3. */
export const ELEMENT = { float: 1, int64: 7, bool: 9, double: 11 } as const;
/** Attribute types of onnx.proto3. */
const ATTRIBUTE = {
  float: 1,
  int: 2,
  text: 3,
  tensor: 4,
  graph: 5,
  ints: 7,
  tensors: 9,
  graphs: 10,
  sparse: 11,
} as const;

export interface OnnxTensor {
  readonly name?: string;
  readonly dims?: readonly number[];
  readonly data_type?: number;
  readonly float_data?: readonly number[];
  readonly int32_data?: readonly number[];
  readonly int64_data?: readonly number[];
  readonly raw_data?: Uint8Array;
  readonly external_data?: readonly { readonly key: string; readonly value: string }[];
  readonly data_location?: number;
}

export interface OnnxAttribute {
  readonly name: string;
  readonly type: number;
}

export interface OnnxNode {
  readonly op_type: string;
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly attribute?: readonly OnnxAttribute[];
  readonly domain?: string;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: { readonly tensor_type: { readonly elem_type: number; readonly shape: OnnxShape } };
}

/** An output that is no tensor. */
export interface OnnxOther {
  readonly name: string;
  readonly type: { readonly sequence_type: { readonly elem_type: object } };
}

export interface OnnxShape {
  readonly dim: readonly { readonly dim_value?: number; readonly dim_param?: string }[];
}

export interface OnnxGraph {
  readonly name?: string;
  readonly node?: readonly OnnxNode[];
  readonly initializer?: readonly OnnxTensor[];
  readonly sparse_initializer?: readonly { readonly values?: OnnxTensor; readonly indices?: OnnxTensor }[];
  readonly input?: readonly OnnxValue[];
  readonly output?: readonly (OnnxValue | OnnxOther)[];
}

export interface OnnxFunction {
  readonly name: string;
  readonly node: readonly OnnxNode[];
  readonly domain?: string;
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly opset_import?: readonly OnnxOpset[];
}

export interface OnnxOpset {
  readonly domain: string;
  readonly version: number;
}

/** The bytes of an ONNX file with this graph, for opset 17 where nothing else is said. */
export function onnxFile(
  graph: OnnxGraph | undefined,
  functions: readonly OnnxFunction[] = [],
  opsets: readonly OnnxOpset[] = [{ domain: '', version: 17 }],
): Uint8Array {
  const model = {
    ir_version: 8,
    producer_name: 'smoothcert tests',
    opset_import: opsets,
    ...(graph === undefined ? {} : { graph: { name: 'graph', ...graph } }),
    functions,
  };
  return Model.encode(Model.fromObject(model)).finish();
}

/** The graph of an ONNX file. */
export function readOnnxFile(bytes: Uint8Array): OnnxGraph {
  const { graph } = Model.toObject(Model.decode(bytes), { longs: Number }) as { graph: OnnxGraph };
  return graph;
}

/** An int64 tensor: a list, or a single number. */
export function integers(name: string, values: readonly number[] | number): OnnxTensor {
  const list = typeof values === 'number' ? [values] : values;
  return {
    name,
    dims: typeof values === 'number' ? [] : [list.length],
    data_type: ELEMENT.int64,
    int64_data: list,
  };
}

/** A float32 tensor. */
export function floats(name: string, dims: readonly number[], values: readonly number[]): OnnxTensor {
  return { name, dims, data_type: ELEMENT.float, float_data: values };
}

export const attribute = {
  int: (name: string, i: number): OnnxAttribute & { i: number } => ({ name, i, type: ATTRIBUTE.int }),
  float: (name: string, f: number): OnnxAttribute & { f: number } => ({ name, f, type: ATTRIBUTE.float }),
  text: (name: string, s: string) => ({ name, s: Buffer.from(s), type: ATTRIBUTE.text }),
  /** In a function: the attribute of that name of its call. */
  reference: (name: string, of: string) => ({ name, ref_attr_name: of, type: ATTRIBUTE.ints }),
  ints: (name: string, ints: readonly number[]) => ({ name, ints, type: ATTRIBUTE.ints }),
  tensor: (name: string, t: OnnxTensor) => ({ name, t, type: ATTRIBUTE.tensor }),
  tensors: (name: string, tensors: readonly OnnxTensor[]) => ({ name, tensors, type: ATTRIBUTE.tensors }),
  graph: (name: string, g: OnnxGraph) => ({ name, g, type: ATTRIBUTE.graph }),
  graphs: (name: string, graphs: readonly OnnxGraph[]) => ({ name, graphs, type: ATTRIBUTE.graphs }),
  sparse: (name: string, values: OnnxTensor, indices: OnnxTensor) => ({
    name,
    sparse_tensor: { values, indices },
    type: ATTRIBUTE.sparse,
  }),
};

/** One input or output. A dimension is a number, a name, or '' for one that is neither. */
export function value(
  name: string,
  dims: readonly (number | string)[],
  type: number = ELEMENT.float,
): OnnxValue {
  const dim = dims.map((each) =>
    typeof each === 'number' ? { dim_value: each } : each === '' ? {} : { dim_param: each },
  );
  return { name, type: { tensor_type: { elem_type: type, shape: { dim } } } };
}
