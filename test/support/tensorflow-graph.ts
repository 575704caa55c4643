import protobuf from 'protobufjs';

// The part of TensorFlow's formats (tensorflow/core/framework/*.proto, saved_model.proto) that small hand-made models
// need. Written apart from the reader in src/models, so that a field number that is wrong there is found.
const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message Dim { int64 size = 1; string name = 2; }
  message Shape { repeated Dim dim = 2; bool unknown_rank = 3; }
  message Tensor { int32 dtype = 1; Shape tensor_shape = 2; int32 version_number = 3; bytes tensor_content = 4; }
  message NameAttr { string name = 1; }
  message List { repeated int64 i = 3; repeated int32 type = 6; }
  message Attr { oneof value { List list = 1; bytes s = 2; int64 i = 3; float f = 4; bool b = 5; int32 type = 6; Shape shape = 7; Tensor tensor = 8; NameAttr func = 10; } }
  message Node { string name = 1; string op = 2; repeated string input = 3; string device = 4; map<string, Attr> attr = 5; }
  message Versions { int32 producer = 1; int32 min_consumer = 2; }
  message Arg { string name = 1; int32 type = 3; }
  message OpDef { string name = 1; repeated Arg input_arg = 2; repeated Arg output_arg = 3; }
  message Function { OpDef signature = 1; repeated Node node_def = 3; map<string, string> ret = 4; }
  message Library { repeated Function function = 1; }
  message Graph { repeated Node node = 1; Library library = 2; Versions versions = 4; }
  message TensorInfo { string name = 1; int32 dtype = 2; Shape tensor_shape = 3; }
  message Signature { map<string, TensorInfo> inputs = 1; map<string, TensorInfo> outputs = 2; string method_name = 3; }
  message Meta { repeated string tags = 4; string tensorflow_version = 5; }
  message MetaGraph { Meta meta_info_def = 1; Graph graph_def = 2; map<string, Signature> signature_def = 5; }
  message SavedModel { int64 saved_model_schema_version = 1; repeated MetaGraph meta_graphs = 2; }
`,
  { keepCase: true },
);
const SavedModel = root.lookupType('SavedModel');

const TYPES = { DT_FLOAT: 1, DT_INT32: 3 } as const;
type Type = keyof typeof TYPES;

export type GraphAttribute =
  | { readonly type: Type }
  | { readonly b: boolean }
  | { readonly f: number }
  | { readonly i: number }
  | { readonly func: string }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly types: readonly Type[] }
  /** -1 for a dimension of any size. */
  | { readonly shape: readonly number[] }
  | { readonly tensor: GraphTensor };

export interface GraphTensor {
  readonly dtype: Type;
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, GraphAttribute>>;
}

/** A function of a graph's library, from float32 to float32. */
export interface GraphFunction {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  /** Names of its arguments, and what each of its results is; it has none without them. */
  readonly inputs?: readonly string[];
  readonly results?: Readonly<Record<string, string>>;
}

export const FLOAT = { type: 'DT_FLOAT' } as const satisfies GraphAttribute;
export const INT = { type: 'DT_INT32' } as const satisfies GraphAttribute;

export function constant(name: string, tensor: GraphTensor): GraphNode {
  return { name, op: 'Const', attr: { dtype: { type: tensor.dtype }, value: { tensor } } };
}

/** Little-endian bytes, as all of TensorFlow's formats have them. */
export function tensorBytes({ dtype, values }: GraphTensor): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [index, each] of values.entries()) {
    if (dtype === 'DT_FLOAT') view.setFloat32(4 * index, each, true);
    else view.setInt32(4 * index, each, true);
  }
  return new Uint8Array(view.buffer);
}

const protoShape = (dims: readonly number[]) => ({ dim: dims.map((size) => ({ size })) });

function protoAttribute(attribute: GraphAttribute): object {
  if ('type' in attribute) return { type: TYPES[attribute.type] };
  if ('shape' in attribute) return { shape: protoShape(attribute.shape) };
  if ('text' in attribute) return { s: Buffer.from(attribute.text) };
  if ('ints' in attribute) return { list: { i: attribute.ints } };
  if ('types' in attribute) return { list: { type: attribute.types.map((each) => TYPES[each]) } };
  if ('func' in attribute) return { func: { name: attribute.func } };
  if (!('tensor' in attribute)) return attribute;
  const { tensor } = attribute;
  return {
    tensor: {
      dtype: TYPES[tensor.dtype],
      tensor_shape: protoShape(tensor.dims),
      tensor_content: tensorBytes(tensor),
    },
  };
}

const protoNode = ({ name, op, input = [], attr = {} }: GraphNode) => ({
  name,
  op,
  input,
  attr: Object.fromEntries(Object.entries(attr).map(([key, each]) => [key, protoAttribute(each)])),
});

export interface SavedTensorOptions {
  /** As the graph names it, e.g. `image:0`. */
  readonly name: string;
  readonly dtype?: number;
  /** Left out: of unknown rank. */
  readonly dims?: readonly number[];
}

export interface SavedModelOptions {
  readonly nodes: readonly GraphNode[];
  readonly functions?: readonly GraphFunction[];
  readonly inputs: Readonly<Record<string, SavedTensorOptions>>;
  readonly outputs: Readonly<Record<string, SavedTensorOptions>>;
  readonly tags?: readonly string[];
  /** The name of the signature. */
  readonly signature?: string;
}

/** The bytes of a saved_model.pb with this graph and one signature, serving_default. */
export function savedModel(options: SavedModelOptions): Uint8Array {
  const { nodes, functions = [], inputs, outputs, tags = ['serve'], signature = 'serving_default' } = options;
  const info = (tensors: Readonly<Record<string, SavedTensorOptions>>) =>
    Object.fromEntries(
      Object.entries(tensors).map(([key, { name, dtype = TYPES.DT_FLOAT, dims }]) => [
        key,
        { name, dtype, tensor_shape: dims === undefined ? { unknown_rank: true } : protoShape(dims) },
      ]),
    );
  return SavedModel.encode(
    SavedModel.fromObject({
      saved_model_schema_version: 1,
      meta_graphs: [
        {
          meta_info_def: { tags, tensorflow_version: '2.9.1' },
          graph_def: {
            node: nodes.map(protoNode),
            library: {
              function: functions.map(({ name, nodes: body, inputs: given = [], results = {} }) => ({
                signature: {
                  name,
                  input_arg: given.map((each) => ({ name: each, type: TYPES.DT_FLOAT })),
                  output_arg: Object.keys(results).map((each) => ({ name: each, type: TYPES.DT_FLOAT })),
                },
                node_def: body.map(protoNode),
                ret: results,
              })),
            },
            versions: { producer: 1087 },
          },
          signature_def: {
            [signature]: {
              inputs: info(inputs),
              outputs: info(outputs),
              method_name: 'tensorflow/serving/predict',
            },
          },
        },
      ],
    }),
  ).finish();
}

/** A node as TensorFlow.js's model.json has it. Values of constants are in the weights. */
function jsonNode({ name, op, input = [], attr = {} }: GraphNode): object {
  const jsonShape = (dims: readonly number[]) => ({ dim: dims.map((size) => ({ size: String(size) })) });
  const jsonAttribute = (attribute: GraphAttribute): object => {
    if ('shape' in attribute) return { shape: jsonShape(attribute.shape) };
    if ('text' in attribute) return { s: Buffer.from(attribute.text).toString('base64') };
    if ('ints' in attribute) return { list: { i: attribute.ints.map(String) } };
    if (!('tensor' in attribute)) return attribute;
    const { dtype, dims } = attribute.tensor;
    return { tensor: { dtype, tensorShape: jsonShape(dims) } };
  };
  const attributes = Object.entries(attr).map(([key, each]) => [key, jsonAttribute(each)]);
  return { name, op, input, attr: Object.fromEntries(attributes) };
}

/** The files of a GraphModel of TensorFlow.js; its weights are in two shards, cut where no weight ends. */
export function graphModel(nodes: readonly GraphNode[]): Record<string, Uint8Array> {
  const constants = nodes.flatMap(({ name, attr = {} }) =>
    attr['value'] !== undefined && 'tensor' in attr['value'] ? [{ name, tensor: attr['value'].tensor }] : [],
  );
  return shardedModel(
    'graph-model',
    { node: nodes.map(jsonNode), library: {}, versions: { producer: 1087 } },
    constants,
  );
}

export interface NamedTensor {
  readonly name: string;
  readonly tensor: GraphTensor;
}

/** model.json and two shards of weights, cut where no weight ends. */
export function shardedModel(
  format: 'graph-model' | 'layers-model',
  modelTopology: object,
  weights: readonly NamedTensor[],
): Record<string, Uint8Array> {
  const bytes = Buffer.concat(weights.map(({ tensor }) => tensorBytes(tensor)));
  const paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
  const specs = weights.map(({ name, tensor: { dims, dtype } }) => ({
    name,
    shape: dims,
    dtype: dtype === 'DT_FLOAT' ? 'float32' : 'int32',
  }));
  const json = { format, modelTopology, weightsManifest: [{ paths, weights: specs }] };
  return {
    'model.json': Buffer.from(JSON.stringify(json)),
    [paths[0]!]: bytes.subarray(0, 6),
    [paths[1]!]: bytes.subarray(6),
  };
}
