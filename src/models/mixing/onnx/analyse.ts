import type { BatchMixing } from '../../batch-mixing.ts';
import { graphInputs, type OnnxAttribute, type OnnxFile, type OnnxFunction, type OnnxGraph, type OnnxNode, type OnnxOpset } from '../../formats/onnx-file.ts'; // prettier-ignore
import { RANDOM_OPERATORS } from '../../formats/onnx.ts';
import { fixed, lost, lostOf, type Outcome, rows, type Tensor } from '../tensor.ts';
import { type OnnxCall, weight } from './call.ts';
import { constantNode } from './constant.ts';
import { controlFlow } from './control-flow.ts';
import { fold } from './fold.ts';
import { ONNX_RULES } from './rules.ts';
import { verdictOf } from '../verdict.ts';
import type { Scope, Surroundings } from './surroundings.ts';

/** Functions of a file may call one another, but no deeper than this. */
const DEEPEST = 16;
/** Nodes of all graphs together, each as often as it is called. */
const MOST_NODES = 200_000;
/** Below this version operators broadcast by attributes, which nothing here reads. */
const FIRST_OPSET = 7;
const LATEST = 23;

const domainOf = (domain: string | undefined): string => (domain === 'ai.onnx' ? '' : (domain ?? ''));

const opsetOf = (imports: readonly OnnxOpset[] | undefined): number =>
  imports?.find(({ domain }) => domainOf(domain) === '')?.version ?? 1;

const functionKey = (domain: string, name = '', overload = ''): string => `${domain}\n${name}\n${overload}`;

/**
 * Follows the rows of a batch through an ONNX graph, from its one input to an output.
 *
 * @param shape of one input without its batch, where the file leaves sizes open; null for the input's own
 * @param outputName of the output with the scores; the first without it
 */
export function onnxMixing(file: OnnxFile, shape: readonly number[] | null, outputName?: string): BatchMixing {
  const { graph } = file;
  const [input, ...more] = graphInputs(graph);
  const stated = input?.type?.tensor_type?.shape?.dim;
  if (input?.name === undefined || more.length > 0 || stated === undefined || stated.length < 1) {
    return { verdict: 'unknown', operators: [] };
  }
  const batch = numberOf(stated[0]!.dim_value);
  // A batch of one row has no other.
  if (batch === 1) return { verdict: 'independent', operators: [] };
  // A file that names no version of ONNX's own operators has none of them.
  const opset = graph.node?.some(({ domain }) => domainOf(domain) === '') === true ? opsetOf(file.opset_import) : LATEST;
  if (opset < FIRST_OPSET) return { verdict: 'unknown', operators: [`operators of opset ${opset}`] };
  const rest = stated.slice(1).map(({ dim_value: size }, axis) => numberOf(size) ?? shape?.[axis] ?? null);
  const surroundings: Surroundings = {
    batch,
    opset,
    functions: new Map(file.functions.map((each) => [functionKey(domainOf(each.domain), each.name, each.overload), each])),
    attributes: new Map(),
    depth: 0,
    budget: { left: MOST_NODES },
  };
  const scope = evaluate(graph, new Map([[input.name, rows([1, ...rest], 0)]]), surroundings);
  const result = scope.get(outputName ?? graph.output?.[0]?.name ?? '');
  return verdictOf(result);
}

/** A dimension that the file states; 0 and below are ways to leave it open. */
const numberOf = (size: number | undefined): number | null => (size === undefined || size < 1 ? null : size);

/** All tensors of a graph; `outer` are those that it sees from around it, its inputs among them. */
export function evaluate(
  { initializer = [], sparse_initializer: sparse = [], node: nodes = [] }: OnnxGraph,
  outer: Scope,
  surroundings: Surroundings,
): Scope {
  const scope = new Map(outer);
  for (const tensor of initializer) scope.set(tensor.name ?? '', weight(tensor, surroundings.batch));
  for (const { values, dims } of sparse) scope.set(values?.name ?? '', fixed((dims ?? []).map(Number)));
  const made = new Set<string>();
  for (const node of nodes) {
    surroundings.budget.left -= 1;
    // What is not looked at has no tensors, and whoever needs them is lost.
    if (surroundings.budget.left < 0) break;
    const results = apply(node, scope, surroundings);
    for (const [index, name] of (node.output ?? []).entries()) {
      // A name that two nodes make could be either's.
      const tensor = made.has(name) ? lost(false, [node.op_type ?? '']) : results[index];
      if (name !== '') scope.set(name, tensor ?? lost(false, [node.op_type ?? '']));
      made.add(name);
    }
  }
  return scope;
}

function apply(node: OnnxNode, scope: Scope, surroundings: Surroundings): readonly Tensor[] {
  const domain = domainOf(node.domain);
  const operator = node.op_type ?? '';
  const inputs = (node.input ?? []).map((name) =>
    name === '' ? undefined : (scope.get(name) ?? lost(false, [operator])),
  );
  const attributes = new Map<string, OnnxAttribute>();
  for (const each of node.attribute ?? []) {
    const found = each.ref_attr_name ? surroundings.attributes.get(each.ref_attr_name) : each;
    if (found !== undefined) attributes.set(each.name ?? '', found);
  }
  const called = surroundings.functions.get(functionKey(domain, operator, node.overload));
  if (called !== undefined) return inline(called, inputs, attributes, surroundings);
  const key = domain === '' ? operator : `${domain}.${operator}`;
  const outputs = node.output?.length ?? 0;
  const call: OnnxCall = { name: operator, inputs, outputs, opset: surroundings.opset, batch: surroundings.batch, attribute: (name) => attributes.get(name) }; // prettier-ignore
  if (domain === '') {
    if (operator === 'Constant') return [constantNode(call)];
    const controlled = controlFlow(call, scope, surroundings, evaluate);
    if (controlled !== null) return controlled;
    const folded = fold(call);
    if (folded !== null) return [folded];
  }
  const rule = ONNX_RULES.get(key);
  const settings = new Set(rule?.settings);
  const data = inputs.filter((each, index): each is Tensor => each !== undefined && !settings.has(index));
  const read = inputs.filter((each, index): each is Tensor => each !== undefined && settings.has(index));
  const all = (tensor: Tensor): Tensor[] => Array.from({ length: outputs }, () => tensor);
  if (data.some(({ trace }) => trace.kind === 'lost')) return all(lostOf(data));
  const known = [...data, ...read].every(({ trace }) => trace.kind === 'fixed') && !RANDOM_OPERATORS.has(operator);
  const standard = domain === '' || domain === 'ai.onnx.ml';
  if (rule === undefined) return all(known && standard ? fixed(null) : lost(false, [operator]));
  const unread = read.some(
    ({ trace, values }) =>
      trace.kind === 'rows' || (trace.kind === 'lost' && (values === null || rule.sizes !== true)),
  );
  const misplaced = rule.anywhere !== true && data.some((each) => each !== inputs[0] && each.trace.kind === 'rows');
  if (unread || misplaced) return all(lost(false, [operator]));
  const outcome = rule.apply(call);
  const outcomes: readonly Outcome[] = typeof outcome === 'object' && 'length' in outcome ? outcome : [outcome];
  return outcomes.map((each) => {
    if (typeof each !== 'string') return each;
    return known ? fixed(null) : lost(each === 'mixes', [operator]);
  });
}

function inline(
  { name = '', input = [], output = [], node = [], attribute_proto: defaults = [], opset_import: imports }: OnnxFunction,
  inputs: readonly (Tensor | undefined)[],
  attributes: ReadonlyMap<string, OnnxAttribute>,
  surroundings: Surroundings,
): readonly Tensor[] {
  const opset = opsetOf(imports);
  if (surroundings.depth >= DEEPEST || opset < FIRST_OPSET) return output.map(() => lost(false, [name]));
  const scope = new Map<string, Tensor>();
  for (const [index, each] of input.entries()) {
    const tensor = inputs[index];
    if (tensor !== undefined) scope.set(each, tensor);
  }
  const given = new Map([...defaults.map((each) => [each.name ?? '', each] as const), ...attributes]);
  const inside = { ...surroundings, attributes: given, opset, depth: surroundings.depth + 1 };
  const results = evaluate({ node }, scope, inside);
  return output.map((each) => results.get(each) ?? lost(false, [name]));
}
