import protobuf from 'protobufjs';
import { nodeName } from '../formats/graph-output.ts';
import type { FinalSoftmax } from './final-softmax.ts';
import { editMessage } from './message-fields.ts';

// What of a SavedModel (tensorflow/core/protobuf/saved_model.proto and what it names) tells where its scores come from.
const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message TensorInfo { string name = 1; }
  message Signature { map<string, TensorInfo> outputs = 2; }
  message NameAttr { string name = 1; }
  message Attr { NameAttr func = 10; }
  message Node { string name = 1; string op = 2; repeated string input = 3; map<string, Attr> attr = 5; }
  message Arg { string name = 1; }
  message OpDef { string name = 1; repeated Arg output_arg = 3; }
  message Function { OpDef signature = 1; repeated Node node_def = 3; map<string, string> ret = 4; }
  message Library { repeated Function function = 1; }
  message Graph { repeated Node node = 1; Library library = 2; }
  message Meta { repeated string tags = 4; }
  message MetaGraph { Meta meta_info_def = 1; Graph graph_def = 2; map<string, Signature> signature_def = 5; }
  message SavedModel { repeated MetaGraph meta_graphs = 2; }
  message Ret { string key = 1; string value = 2; }
`,
  { keepCase: true },
);
const SavedModel = root.lookupType('SavedModel');
const NodeDef = root.lookupType('Node');
const FunctionDef = root.lookupType('Function');
/** An entry of the map of a function's results. */
const Ret = root.lookupType('Ret');

interface Node {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, { readonly func?: { readonly name: string } }>>;
}
interface Func {
  readonly signature: { readonly name: string; readonly output_arg: readonly { readonly name: string }[] };
  readonly node_def: readonly Node[];
  readonly ret: Readonly<Record<string, string>>;
}
interface MetaGraph {
  readonly meta_info_def?: { readonly tags: readonly string[] };
  readonly graph_def?: { readonly node: readonly Node[]; readonly library?: { readonly function: readonly Func[] } };
  readonly signature_def: Readonly<Record<string, { readonly outputs: Readonly<Record<string, { readonly name: string }>> }>>;
}

type Graph = NonNullable<MetaGraph['graph_def']>;

/** Where a tensor is taken from: a function, or, without one, the graph. */
interface Place {
  readonly func: Func | null;
  readonly tensor: string;
}

/** Who takes a tensor in a function: a node as its first input, or the function's result of that name. */
type Taker = { readonly func: Func } & ({ readonly node: string } | { readonly result: string });

const indexOf = (tensor: string): number => Number(/:(\d+)$/.exec(tensor)?.[1] ?? 0);

/**
 * The bytes of a saved_model.pb without the Softmax (over the last axis, as TensorFlow's always is) that an output of a
 * signature ends with, through Identity and the functions that it calls; or null where there is none, or where it is taken or
 * its function called from elsewhere too. What took the Softmax takes its input; all other bytes stay.
 *
 * @param signature of the model, e.g. serving_default
 * @param output key of the output in the signature; left out: the only one
 */
export function savedModelWithoutSoftmax(
  bytes: Uint8Array,
  signature: string,
  output?: string,
): { readonly bytes: Uint8Array; readonly softmax: FinalSoftmax } | null {
  const { meta_graphs: graphs } = SavedModel.toObject(SavedModel.decode(bytes), { defaults: true }) as {
    readonly meta_graphs: readonly MetaGraph[];
  };
  const serving = graphs.findIndex(({ meta_info_def: meta }) => meta?.tags.join() === 'serve');
  const { graph_def: graph, signature_def: signatures } = graphs[serving] ?? {};
  const outputs = signatures?.[signature]?.outputs ?? {};
  const keys = Object.keys(outputs);
  const end = outputs[output ?? (keys.length === 1 ? keys[0]! : '')];
  if (graph == null || end === undefined) return null;
  const functions = new Map((graph.library?.function ?? []).map((each) => [each.signature.name, each]));
  const uses = usesOf(graph, functions, end.name);

  let taker: Taker | null = null;
  let place: Place = { func: null, tensor: end.name };
  for (let steps = 0; steps < 64; steps += 1) {
    const { func, tensor }: Place = place;
    const node: Node | undefined = (func?.node_def ?? graph.node).find(({ name }) => name === nodeName(tensor));
    if (node === undefined) return null;
    if (node.op === 'Softmax' || node.op === 'LogSoftmax') {
      if (taker === null && uses.get(node.name)! > 1) return null;
      const edit = taker === null ? intoIdentity(node.name) : redirected(taker, node.input[0]!);
      return { bytes: editGraph(bytes, serving, edit), softmax: node.op };
    }
    const called = functions.get(node.attr['f']?.func?.name ?? '');
    if (called !== undefined && /^(Stateful)?PartitionedCall$/.test(node.op)) {
      if (uses.get(`function ${called.signature.name}`) !== 1) return null;
      const result = called.signature.output_arg[indexOf(tensor)]?.name ?? '';
      taker = { func: called, result };
      place = { func: called, tensor: called.ret[result] ?? '' };
    } else if (node.op === 'Identity') {
      if (func !== null) taker = { func, node: node.name };
      place = { func, tensor: node.input[0] ?? '' };
    } else return null;
  }
  return null;
}

/** How often what an output reaches takes each node of the graph, and calls each function. */
function usesOf(graph: Graph, functions: ReadonlyMap<string, Func>, output: string): Map<string, number> {
  const uses = new Map<string, number>();
  const use = (name: string): boolean => {
    const before = uses.get(name) ?? 0;
    uses.set(name, before + 1);
    return before === 0;
  };
  const byName = new Map(graph.node.map((node) => [node.name, node]));
  const pending: Node[] = [];
  const call = ({ attr }: Node): void => {
    for (const { func } of Object.values(attr)) {
      if (func != null && use(`function ${func.name}`)) functions.get(func.name)?.node_def.forEach(call);
    }
  };
  const take = (tensor: string): void => {
    const node = byName.get(nodeName(tensor));
    if (node !== undefined && use(node.name)) pending.push(node);
  };
  take(output);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    node.input.forEach(take);
    call(node);
  }
  return uses;
}

type Contents = Uint8Array;
/** Edits one field of a graph: 1 is a node, 2 the library of functions. */
type Edit = (field: number, contents: Contents) => Contents;

const text = (value: string): Contents => Buffer.from(value);

/** Edits the graph of one of the file's meta graphs: of field 2, field 2. */
function editGraph(bytes: Uint8Array, index: number, edit: Edit): Uint8Array {
  let seen = -1;
  return editMessage(bytes, (field, meta) =>
    field === 2 && (seen += 1) === index
      ? editMessage(meta, (part, graph) => (part === 2 ? editMessage(graph, edit) : graph))
      : meta,
  );
}

/** Makes a node of the graph an Identity: its operator is field 2. The attributes of a Softmax are those of an Identity. */
function intoIdentity(name: string): Edit {
  return (field, node) =>
    field === 1 && (NodeDef.decode(node) as unknown as Node).name === name
      ? editMessage(node, (part, contents) => (part === 2 ? text('Identity') : contents))
      : node;
}

/** Lets a taker in a function, field 1 of the library, take another tensor: first inputs are field 3, results field 4. */
function redirected(taker: Taker, tensor: string): Edit {
  const { name } = taker.func.signature;
  const editFunction = (contents: Contents): Contents =>
    editMessage(contents, (field, part) => {
      if ('node' in taker) {
        if (field !== 3 || (NodeDef.decode(part) as unknown as Node).name !== taker.node) return part;
        let inputs = 0;
        return editMessage(part, (of, input) => (of === 3 && (inputs += 1) === 1 ? text(tensor) : input));
      }
      if (field !== 4) return part;
      const key = Ret.decode(part) as unknown as { readonly key: string };
      return key.key === taker.result ? editMessage(part, (of, each) => (of === 2 ? text(tensor) : each)) : part;
    });
  return (field, library) =>
    field === 2
      ? editMessage(library, (part, func) =>
          part === 1 && (FunctionDef.decode(func) as unknown as Func).signature.name === name ? editFunction(func) : func,
        )
      : library;
}
