import protobuf from 'protobufjs';

// The fields of a SavedModel (tensorflow/core/protobuf/saved_model.proto and what it names) that are needed here; a
// reader skips all others, and weights stay bytes.
const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message Dim { int64 size = 1; }
  message Shape { repeated Dim dim = 2; bool unknown_rank = 3; }
  message TensorInfo { string name = 1; int32 dtype = 2; Shape tensor_shape = 3; }
  message Signature { map<string, TensorInfo> inputs = 1; map<string, TensorInfo> outputs = 2; }
  message NameAttr { string name = 1; }
  message Constant { int32 dtype = 1; Shape tensor_shape = 2; bytes tensor_content = 4; repeated int32 int_val = 7; }
  message List { repeated int64 i = 3; repeated NameAttr func = 9; }
  message Attr {
    List list = 1; oneof kind { bytes s = 2; int64 i = 3; bool b = 5; int32 type = 6; Shape shape = 7; Constant tensor = 8; NameAttr func = 10; }
  }
  message Node { string name = 1; string op = 2; repeated string input = 3; map<string, Attr> attr = 5; }
  message Arg { string name = 1; }
  message FunctionSignature { string name = 1; repeated Arg input_arg = 2; repeated Arg output_arg = 3; }
  message Function { FunctionSignature signature = 1; repeated Node node_def = 3; map<string, string> ret = 4; }
  message Library { repeated Function function = 1; }
  message Graph { repeated Node node = 1; Library library = 2; }
  message Meta { repeated string tags = 4; string tensorflow_version = 5; }
  message MetaGraph { Meta meta_info_def = 1; Graph graph_def = 2; map<string, Signature> signature_def = 5; }
  message SavedModel { int64 saved_model_schema_version = 1; repeated MetaGraph meta_graphs = 2; }
`,
  // Without it the fields would be named metaGraphs, graphDef ... and read as missing.
  { keepCase: true },
);
const SavedModel = root.lookupType('SavedModel');

export interface SavedTensor {
  readonly name?: string;
  /** DataType of types.proto; 1 is float32. */
  readonly dtype?: number;
  readonly tensor_shape?: {
    readonly unknown_rank?: boolean;
    readonly dim?: readonly { readonly size?: number }[];
  };
}
export interface SavedSignature {
  readonly inputs?: Readonly<Record<string, SavedTensor>>;
  readonly outputs?: Readonly<Record<string, SavedTensor>>;
}
export interface SavedAttribute {
  readonly b?: boolean;
  readonly i?: number;
  readonly type?: number;
  readonly s?: Uint8Array;
  readonly shape?: NonNullable<SavedTensor['tensor_shape']>;
  readonly tensor?: {
    readonly dtype?: number;
    readonly tensor_shape?: NonNullable<SavedTensor['tensor_shape']>;
    readonly tensor_content?: Uint8Array;
    readonly int_val?: readonly number[];
  };
  readonly func?: { readonly name?: string };
  readonly list?: { readonly i?: readonly number[]; readonly func?: readonly { readonly name?: string }[] };
}
export interface SavedNode {
  readonly name?: string;
  readonly op?: string;
  /** Names of nodes, with `:output` behind or `^` before. */
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, SavedAttribute>>;
}

/** A function that nodes call. */
export interface SavedFunction {
  readonly nodes: readonly SavedNode[];
  /** Names of its arguments in order, and the tensor that each of its results is. */
  readonly inputs: readonly string[];
  readonly results: readonly string[];
}

/** The part of a SavedModel that serves. */
export interface SavedModelFile {
  /** TensorFlow's version that wrote it, or "". */
  readonly writtenBy: string;
  readonly signatures: Readonly<Record<string, SavedSignature>>;
  readonly nodes: readonly SavedNode[];
  readonly functions: ReadonlyMap<string, SavedFunction>;
}

/** Where a SavedModel is entered that says nothing else. */
const SERVING = 'serving_default';

/**
 * The signature that is run: the one named, or serving_default.
 *
 * @throws Error where there is none of that name, with the names that there are
 */
export function servingSignature(
  { signatures }: SavedModelFile,
  stated = SERVING,
): Required<SavedSignature> & { readonly name: string } {
  const found = signatures[stated];
  if (found !== undefined) return { name: stated, inputs: found.inputs ?? {}, outputs: found.outputs ?? {} };
  const others = Object.keys(signatures).filter((name) => !name.startsWith('__saved_model'));
  const there = others.length === 0 ? 'it has none' : `it has ${others.join(', ')}`;
  throw new Error(`it has no signature ${stated}; ${there}, which the manifest's signature may name`);
}

interface MetaGraph {
  readonly meta_info_def?: { readonly tags?: readonly string[]; readonly tensorflow_version?: string };
  readonly graph_def?: {
    readonly node?: readonly SavedNode[];
    readonly library?: {
      readonly function?: readonly {
        readonly signature?: {
          readonly name?: string;
          readonly input_arg?: readonly { readonly name?: string }[];
          readonly output_arg?: readonly { readonly name?: string }[];
        };
        readonly node_def?: readonly SavedNode[];
        readonly ret?: Readonly<Record<string, string>>;
      }[];
    };
  };
  readonly signature_def?: Readonly<Record<string, SavedSignature>>;
}

/**
 * Reads a saved_model.pb without running or allocating anything of it.
 *
 * @throws Error where the bytes are no SavedModel with a graph tagged "serve"
 */
export function readSavedModel(bytes: Uint8Array): SavedModelFile {
  const { meta_graphs: graphs = [] } = SavedModel.toObject(SavedModel.decode(bytes), { longs: Number }) as {
    meta_graphs?: readonly MetaGraph[];
  };
  const serving = graphs.find(
    ({ meta_info_def: meta }) => meta?.tags?.length === 1 && meta.tags[0] === 'serve',
  );
  if (serving?.graph_def?.node === undefined) throw new Error('it has no graph with the tag "serve"');
  const { library, node } = serving.graph_def;
  return {
    writtenBy: serving.meta_info_def?.tensorflow_version ?? '',
    signatures: serving.signature_def ?? {},
    nodes: node,
    functions: new Map(
      (library?.function ?? []).map(({ signature, node_def: nodes = [], ret = {} }) => [
        signature?.name ?? '',
        {
          nodes,
          inputs: (signature?.input_arg ?? []).map(({ name = '' }) => name),
          results: (signature?.output_arg ?? []).map(({ name = '' }) => ret[name] ?? ''),
        },
      ]),
    ),
  };
}
