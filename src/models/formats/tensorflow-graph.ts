import type { SavedModelFile, SavedNode } from './saved-model.ts';
import type { TensorflowJson } from './tensorflow-json.ts';

/** A constant of a graph: its sizes, and its values where they are few integers. */
export interface GraphConstant {
  readonly dims: readonly number[];
  readonly values: readonly number[] | null;
}

/** An attribute, whatever kind it is of; numbers are numbers in both formats. */
export interface GraphAttribute {
  readonly i?: number;
  readonly b?: boolean;
  readonly s?: string;
  readonly ints?: readonly number[];
  readonly texts?: readonly string[];
  /** Sizes; null for an open one. */
  readonly shape?: readonly (number | null)[];
  readonly func?: string;
  /** DataType of types.proto. */
  readonly type?: number;
  readonly constant?: GraphConstant;
}

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, GraphAttribute>>;
}

export interface GraphFunction {
  readonly nodes: readonly GraphNode[];
  /** Names of the arguments in order, and what each result is. */
  readonly inputs: readonly string[];
  readonly results: readonly string[];
}

/** A graph of TensorFlow, of either format. */
export interface TensorflowGraph {
  readonly nodes: readonly GraphNode[];
  readonly functions: ReadonlyMap<string, GraphFunction>;
}

const SMALL = 64;

type Raw = Readonly<Record<string, unknown>>;
const raw = (value: unknown): Raw => (typeof value === 'object' && value !== null ? (value as Raw) : {});
const number = (value: unknown): number | undefined =>
  value === undefined || value === null ? undefined : Number(value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function shapeOf(value: unknown): (number | null)[] | undefined {
  const { dim, unknownRank } = raw(value);
  if (value === undefined || unknownRank === true) return undefined;
  return listOf(dim).map((each) => {
    const size = number(raw(each)['size']) ?? 0;
    return size < 0 ? null : size;
  });
}

/** The graph of a GraphModel; `weights` are all its files of weights one behind the other. */
export function graphOfJson({ modelTopology, artifacts }: TensorflowJson, weights: Uint8Array): TensorflowGraph {
  const constants = new Map<string, GraphConstant>();
  let at = 0;
  for (const spec of listOf(artifacts['weightSpecs']).map(raw)) {
    const dims = listOf(spec['shape']).map(Number);
    const count = dims.reduce((all, each) => all * each, 1);
    const quantization = raw(spec['quantization']);
    const type = String(quantization['dtype'] ?? spec['dtype']);
    const bytes = count * (WIDTH[type] ?? NaN);
    const small = spec['dtype'] === 'int32' && type === 'int32' && count <= SMALL;
    const view = new DataView(weights.buffer, weights.byteOffset, weights.byteLength);
    const values = small && at + bytes <= weights.length ? Array.from({ length: count }, (_, index) => view.getInt32(at + 4 * index, true)) : null; // prettier-ignore
    constants.set(String(spec['name']), { dims, values });
    // Behind a type of no fixed width nothing can be read.
    at += bytes;
  }
  const node = (value: unknown): GraphNode => {
    const { name, op, input, attr } = raw(value);
    const attributes = Object.entries(raw(attr)).map(([key, each]) => [key, jsonAttribute(raw(each))] as const);
    const constant = op === 'Const' ? constants.get(String(name)) : undefined;
    const all = constant === undefined ? attributes : [...attributes, ['value', { constant }] as const];
    return { name: String(name), op: String(op), inputs: listOf(input).map(String), attributes: Object.fromEntries(all) };
  };
  const { node: nodes, library } = modelTopology;
  const functions = listOf(raw(library)['function']).map((value) => {
    const { signature, nodeDef, ret } = raw(value);
    const { name, inputArg, outputArg } = raw(signature);
    const nameOf = (each: unknown): string => String(raw(each)['name']);
    return [
      String(name),
      {
        nodes: listOf(nodeDef).map(node),
        inputs: listOf(inputArg).map(nameOf),
        results: listOf(outputArg).map((each) => String(raw(ret)[nameOf(each)])),
      },
    ] as const;
  });
  return { nodes: listOf(nodes).map(node), functions: new Map(functions) };
}

/** Bytes an element of TensorFlow.js's weights. */
const WIDTH: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2, complex64: 8 }; // prettier-ignore

function jsonAttribute(value: Raw): GraphAttribute {
  const { i: integers, s: strings } = raw(value['list']);
  const ints = listOf(integers).map(Number);
  const text = (each: unknown): string => Buffer.from(String(each), 'base64').toString('latin1');
  const func = raw(value['func'])['name'];
  const shape = shapeOf(value['shape']);
  const i = number(value['i']);
  return {
    ...(i === undefined ? {} : { i }),
    ...(typeof value['b'] === 'boolean' ? { b: value['b'] } : {}),
    ...(typeof value['s'] === 'string' ? { s: text(value['s']) } : {}),
    ...(value['list'] === undefined ? {} : { ints }),
    ...(strings === undefined ? {} : { texts: listOf(strings).map(text) }),
    ...(shape === undefined ? {} : { shape }),
    ...(typeof func === 'string' ? { func } : {}),
    ...(value['type'] === undefined ? {} : { type: typeOf(value['type']) }),
  };
}

const typeOf = (type: unknown): number => (typeof type === 'string' ? (TYPES[type] ?? NaN) : Number(type));
const TYPES: Readonly<Record<string, number>> = { DT_FLOAT: 1, DT_DOUBLE: 2, DT_INT32: 3, DT_INT64: 9, DT_BOOL: 10, DT_BFLOAT16: 14, DT_HALF: 19 }; // prettier-ignore

/** The graph of a SavedModel. */
export function graphOfSavedModel({ nodes, functions }: SavedModelFile): TensorflowGraph {
  return {
    nodes: nodes.map(savedNode),
    functions: new Map(
      [...functions].map(([name, { nodes: body, inputs, results }]) => [
        name,
        { nodes: body.map(savedNode), inputs, results },
      ]),
    ),
  };
}

function savedNode({ name = '', op = '', input = [], attr = {} }: SavedNode): GraphNode {
  const attributes = Object.entries(attr).map(([key, value]) => {
    const { i, b, s, list, shape, func, tensor, type } = value;
    const sizes = shape === undefined || shape.unknown_rank === true ? undefined : (shape.dim ?? []).map(({ size = 0 }) => (size < 0 ? null : size)); // prettier-ignore
    const attribute: GraphAttribute = {
      ...(i === undefined ? {} : { i }),
      ...(b === undefined ? {} : { b }),
      ...(s === undefined ? {} : { s: Buffer.from(s).toString('latin1') }),
      ...(list === undefined ? {} : { ints: list.i ?? [] }),
      ...(sizes === undefined ? {} : { shape: sizes }),
      ...(func?.name === undefined ? {} : { func: func.name }),
      ...(type === undefined ? {} : { type }),
      ...(tensor === undefined ? {} : { constant: savedConstant(tensor) }),
    };
    return [key, attribute] as const;
  });
  return { name, op, inputs: input, attributes: Object.fromEntries(attributes) };
}

type SavedConstant = NonNullable<NonNullable<SavedNode['attr']>[string]['tensor']>;

function savedConstant({ dtype, tensor_shape: shape, tensor_content: content, int_val: few = [] }: SavedConstant): GraphConstant {
  const dims = (shape?.dim ?? []).map(({ size = 0 }) => size);
  const count = dims.reduce((all, each) => all * each, 1);
  // DT_INT32; its last value stands for all that follow, and none for zeros.
  if (dtype !== 3 || count > SMALL) return { dims, values: null };
  if (content !== undefined && content.length === 4 * count) {
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    return { dims, values: Array.from({ length: count }, (_, index) => view.getInt32(4 * index, true)) };
  }
  const last = few.at(-1) ?? 0;
  return { dims, values: Array.from({ length: count }, (_, index) => few[index] ?? last) }; // prettier-ignore
}
