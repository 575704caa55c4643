import { nodeName } from '../../formats/graph-output.ts';
import { keepsState } from '../../formats/keeps-state.ts';
import type { GraphConstant, GraphNode, TensorflowGraph } from '../../formats/tensorflow-graph.ts';
import { size } from '../size.ts';
import { fixed, lost, lostOf, type Outcome, rows, type Tensor } from '../tensor.ts';
import { foldTensorflow } from './fold.ts';
import { TENSORFLOW_RULES } from './rules.ts';
import type { TensorflowCall } from './call.ts';

/** Functions may call one another, but no deeper than this, and all nodes together are so many. */
const DEEPEST = 16;
const MOST_NODES = 200_000;

/** Operators that are the same for every batch where all of their inputs are, and are not followed otherwise. */
const OF_FIXED = new Set(
  'Shape Size Rank LinSpace BroadcastArgs MatrixBandPart InvertPermutation ListDiff ScatterNd GatherNd TensorScatterUpdate Range'.split(' '), // prettier-ignore
);

interface Surroundings {
  readonly graph: TensorflowGraph;
  readonly batch: number | null;
  readonly budget: { left: number };
}

/** The tensor that an output is, of a graph with one input of rows of this shape. */
export function evaluateGraph(
  graph: TensorflowGraph,
  input: string,
  output: string,
  shape: readonly number[],
  batch: number | null,
): Tensor {
  const given = new Map([[nodeName(input), rows([1, ...shape], 0)]]);
  const [result] = evaluate(graph.nodes, given, [output], { graph, batch, budget: { left: MOST_NODES } }, 0);
  return result!;
}

function evaluate(
  nodes: readonly GraphNode[],
  given: ReadonlyMap<string, Tensor>,
  wanted: readonly string[],
  surroundings: Surroundings,
  depth: number,
): Tensor[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const done = new Map<string, readonly Tensor[]>([...given].map(([name, tensor]) => [name, [tensor]]));
  const resolve = (reference: string): Tensor => {
    const name = nodeName(reference);
    const parts = reference.split(':');
    const results = done.get(name);
    const node = byName.get(name);
    const at = given.has(name) ? 0 : placeOf(node, parts);
    return results?.[at] ?? lost(false, [node?.op ?? name]);
  };
  // In the order of need, without recursion: networks are deep.
  const pending = wanted.map(nodeName);
  const entered = new Set<string>();
  while (pending.length > 0) {
    const name = pending.at(-1)!;
    const node = byName.get(name);
    if (done.has(name) || node === undefined) {
      pending.pop();
      continue;
    }
    const missing = node.inputs.map(nodeName).filter((each) => !done.has(each) && byName.has(each));
    // A node that waits for itself, as in a loop, is not followed.
    if (missing.length > 0 && !entered.has(name)) {
      entered.add(name);
      pending.push(...missing);
      continue;
    }
    pending.pop();
    surroundings.budget.left -= 1;
    const inputs = node.inputs.filter((each) => !each.startsWith('^')).map(resolve);
    done.set(name, surroundings.budget.left < 0 ? [] : apply(node, inputs, surroundings, depth));
  }
  const changing = [...done.keys()].map((name) => byName.get(name)?.op ?? '').filter(keepsState);
  return wanted.map((each) => {
    const tensor = resolve(each);
    return changing.length === 0 || tensor.trace.kind === 'lost' ? tensor : lost(false, [...new Set(changing)]);
  });
}

/** Which of a node's outputs is meant. In functions outputs have names. */
function placeOf(node: GraphNode | undefined, [, second, third]: readonly string[]): number {
  if (second === undefined) return 0;
  if (third === undefined) return Number(second);
  if (node?.op.startsWith('FusedBatchNorm') === true && second !== 'y') return NaN;
  if (node?.op === 'TopKV2') return second === 'values' ? 0 : 1;
  return Number(third);
}

function apply(node: GraphNode, inputs: readonly Tensor[], surroundings: Surroundings, depth: number): readonly Tensor[] {
  const { op, attributes } = node;
  const { graph, batch } = surroundings;
  const constant = op === 'Const' ? (attributes['value']?.constant ?? { dims: null }) : undefined;
  if (constant !== undefined) return [constantTensor(constant)];
  const called = graph.functions.get(/^(Stateful)?PartitionedCall$/.test(op) ? (attributes['f']?.func ?? '') : op);
  if (called !== undefined) {
    if (depth >= DEEPEST) return called.results.map(() => lost(false, [op]));
    const stateful = called.nodes.map((each) => each.op).filter(keepsState);
    if (stateful.length > 0) return called.results.map(() => lost(false, [...new Set(stateful)]));
    const given = new Map(called.inputs.map((name, index) => [name, inputs[index] ?? lost(false, [op])]));
    return evaluate(called.nodes, given, called.results, surroundings, depth + 1);
  }
  const call: TensorflowCall = { name: op, inputs, batch, attribute: (name) => attributes[name] };
  const folded = foldTensorflow(call);
  if (folded !== null) return [folded];
  const known = inputs.every(({ trace }) => trace.kind === 'fixed');
  const rule = TENSORFLOW_RULES.get(op);
  if (rule === undefined) return [known && OF_FIXED.has(op) ? fixed(null) : lost(false, [op])];
  const settings = new Set(rule.settings?.map((index) => (index < 0 ? index + inputs.length : index)));
  const data = inputs.filter((_, index) => !settings.has(index));
  const read = inputs.filter((_, index) => settings.has(index));
  const count = Math.max(1, attributes['num']?.i ?? attributes['num_split']?.i ?? (op === 'TopKV2' ? 2 : 1));
  const all = (tensor: Tensor): Tensor[] => Array.from({ length: count }, () => tensor);
  if (data.some(({ trace }) => trace.kind === 'lost')) return all(lostOf(data));
  const unread = read.some(
    ({ trace, values }) => trace.kind === 'rows' || (trace.kind === 'lost' && (values === null || rule.sizes !== true)),
  );
  const main = settings.has(0) ? inputs[1] : inputs[0];
  const misplaced = rule.anywhere !== true && data.some((each) => each !== main && each.trace.kind === 'rows');
  if (unread || misplaced) return all(lost(false, [op]));
  const outcome = rule.apply(call);
  const outcomes: readonly Outcome[] = typeof outcome === 'object' && 'length' in outcome ? outcome : [outcome];
  return outcomes.map((each) => {
    if (typeof each !== 'string') return each;
    return known ? fixed(null) : lost(each === 'mixes', [op]);
  });
}

function constantTensor({ dims, values = null }: { dims: GraphConstant['dims'] | null; values?: GraphConstant['values'] }): Tensor {
  const plain = fixed(dims);
  return values === null ? plain : { ...plain, values: values.map((each) => size(each)), whole: true };
}
