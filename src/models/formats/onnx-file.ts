import protobuf from 'protobufjs';

// The fields of the ONNX format (onnx/onnx.proto3) that the checks need. Packed numbers of tensors are left as bytes:
// weights are never unpacked, and what is small is read by `onnx-values.ts`.
const schema = protobuf.parse(
  `
  syntax = "proto3";
  message Entry { string key = 1; string value = 2; }
  message Tensor {
    repeated int64 dims = 1; int32 data_type = 2; bytes float_data = 4; bytes int32_data = 5; bytes int64_data = 7;
    string name = 8; bytes raw_data = 9; bytes double_data = 10; repeated Entry external_data = 13; int32 data_location = 14;
  }
  message Sparse { Tensor values = 1; Tensor indices = 2; repeated int64 dims = 3; }
  message Attribute {
    string name = 1; float f = 2; int64 i = 3; bytes s = 4; Tensor t = 5; Graph g = 6; repeated float floats = 7;
    repeated int64 ints = 8; repeated Tensor tensors = 10; repeated Graph graphs = 11; string ref_attr_name = 21;
    Sparse sparse_tensor = 22; repeated Sparse sparse_tensors = 23;
  }
  message Node {
    repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
    repeated Attribute attribute = 5; string domain = 7; string overload = 8;
  }
  message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
  message Shape { repeated Dimension dim = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message SequenceType { Type elem_type = 1; }
  message MapType { int32 key_type = 1; Type value_type = 2; }
  message Type { oneof value { TensorType tensor_type = 1; SequenceType sequence_type = 4; MapType map_type = 5; } }
  message Value { string name = 1; Type type = 2; }
  message Graph {
    repeated Node node = 1; string name = 2; repeated Tensor initializer = 5; repeated Value input = 11;
    repeated Value output = 12; repeated Sparse sparse_initializer = 15;
  }
  message Opset { string domain = 1; int64 version = 2; }
  message Function {
    string name = 1; repeated string input = 4; repeated string output = 5; repeated Node node = 7;
    repeated Opset opset_import = 9; string domain = 10; repeated Attribute attribute_proto = 11; string overload = 13;
  }
  message Model { int64 ir_version = 1; Graph graph = 7; repeated Opset opset_import = 8; repeated Function functions = 25; }
`,
  // Without it the fields would be named opType, externalData ... and read as missing.
  { keepCase: true },
).root;
const Model = schema.lookupType('Model');

export interface OnnxTensor {
  readonly name?: string;
  readonly dims?: readonly number[];
  /** DataType of onnx.proto3; 1 is float32, 7 int64. */
  readonly data_type?: number;
  readonly raw_data?: Uint8Array;
  readonly float_data?: Uint8Array;
  readonly int32_data?: Uint8Array;
  readonly int64_data?: Uint8Array;
  readonly double_data?: Uint8Array;
  readonly external_data?: readonly { readonly key?: string; readonly value?: string }[];
}
export interface OnnxSparse {
  readonly values?: OnnxTensor;
  readonly indices?: OnnxTensor;
  readonly dims?: readonly number[];
}
export interface OnnxAttribute {
  readonly name?: string;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: OnnxTensor;
  readonly g?: OnnxGraph;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly tensors?: readonly OnnxTensor[];
  readonly graphs?: readonly OnnxGraph[];
  /** In a function: the attribute of the calling node that stands here. */
  readonly ref_attr_name?: string;
  readonly sparse_tensor?: OnnxSparse;
  readonly sparse_tensors?: readonly OnnxSparse[];
}
export interface OnnxNode {
  readonly op_type?: string;
  readonly domain?: string;
  readonly overload?: string;
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly attribute?: readonly OnnxAttribute[];
}
export interface OnnxType {
  readonly tensor_type?: {
    readonly elem_type?: number;
    readonly shape?: {
      readonly dim?: readonly { readonly dim_value?: number; readonly dim_param?: string }[];
    };
  };
  readonly sequence_type?: object;
  readonly map_type?: object;
}
export interface OnnxValue {
  readonly name?: string;
  readonly type?: OnnxType;
}
export interface OnnxGraph {
  readonly node?: readonly OnnxNode[];
  readonly initializer?: readonly OnnxTensor[];
  readonly input?: readonly OnnxValue[];
  readonly output?: readonly OnnxValue[];
  readonly sparse_initializer?: readonly OnnxSparse[];
}
export interface OnnxOpset {
  readonly domain?: string;
  readonly version?: number;
}
export interface OnnxFunction {
  readonly name?: string;
  readonly domain?: string;
  readonly overload?: string;
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly node?: readonly OnnxNode[];
  readonly opset_import?: readonly OnnxOpset[];
  /** Attributes with what they are where the call does not say them. */
  readonly attribute_proto?: readonly OnnxAttribute[];
}
export interface OnnxFile {
  readonly graph: OnnxGraph;
  readonly functions: readonly OnnxFunction[];
  readonly opset_import: readonly OnnxOpset[];
}

/**
 * Reads an ONNX file's structure; its weights stay bytes of `bytes`.
 *
 * @throws Error where the bytes are no ONNX model with a graph
 */
export function readOnnx(bytes: Uint8Array): OnnxFile {
  const { graph, functions, opset_import } = Model.toObject(Model.decode(bytes), {
    longs: Number,
  }) as Partial<OnnxFile>;
  if (graph?.node === undefined) throw new Error('the file has no ONNX graph');
  return { graph, functions: functions ?? [], opset_import: opset_import ?? [] };
}

/** The real inputs of a graph: an old file lists its initializers among them too. */
export function graphInputs({ input = [], initializer = [] }: OnnxGraph): OnnxValue[] {
  const weights = new Set(initializer.map(({ name }) => name));
  return input.filter(({ name }) => !weights.has(name));
}
