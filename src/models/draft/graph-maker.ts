import { nodeName } from '../formats/graph-output.ts';
import type { GraphFunction, GraphNode, TensorflowGraph } from '../formats/tensorflow-graph.ts';

/** Operators that give the values that they take, each once, in some shape. */
const KEEPS_VALUES = new Set('Identity IdentityN Reshape Squeeze ExpandDims Transpose EnsureShape StopGradient PreventGradient Snapshot CheckNumerics'.split(' ')); // prettier-ignore
/** DataTypes of types.proto: float32, float64, bfloat16, float16. */
const FLOATING = new Set([1, 2, 14, 19]);
/** Steps on the way back from an output: more than any has, and no graph keeps this busy. */
const MOST_STEPS = 200;

/** Where a tensor is looked for: in the graph, or in a function as it is called. */
interface Place {
  readonly nodes: readonly GraphNode[];
  readonly called: { readonly func: GraphFunction; readonly by: GraphNode; readonly from: Place } | null;
}

const indexOf = (tensor: string): number => Number(/:(\d+)$/.exec(tensor)?.[1] ?? 0);
/** Inputs that are tensors; the others say only what runs before. */
const dataOf = ({ inputs }: GraphNode): readonly string[] => inputs.filter((each) => !each.startsWith('^'));

/**
 * The operator that makes the values of an output, through the functions that it calls and whatever only shapes or converts
 * them; "" where it cannot be told. Of operators that a converter has joined it is the last one.
 *
 * @param output name of a tensor of the graph
 */
export function graphMaker(graph: TensorflowGraph, output: string): string {
  let place: Place = { nodes: graph.nodes, called: null };
  let tensor = output;
  for (let steps = 0; steps < MOST_STEPS; steps += 1) {
    const { called, nodes }: Place = place;
    const argument = called?.func.inputs.indexOf(nodeName(tensor)) ?? -1;
    if (called !== null && argument >= 0) {
      [place, tensor] = [called.from, dataOf(called.by)[argument] ?? ''];
      continue;
    }
    const node: GraphNode | undefined = nodes.find(({ name }) => name === nodeName(tensor));
    if (node === undefined) return '';
    const { op, attributes } = node;
    const func = /^(Stateful)?PartitionedCall$/.test(op) ? graph.functions.get(attributes['f']?.func ?? '') : undefined;
    if (func !== undefined) {
      [place, tensor] = [{ nodes: func.nodes, called: { func, by: node, from: place } }, func.results[indexOf(tensor)] ?? ''];
    } else if (KEEPS_VALUES.has(op) || (op === 'Cast' && FLOATING.has(attributes['DstT']?.type ?? NaN))) {
      tensor = dataOf(node)[op === 'IdentityN' ? indexOf(tensor) : 0] ?? '';
    } else return attributes['fused_ops']?.texts?.at(-1) ?? op;
  }
  return '';
}
