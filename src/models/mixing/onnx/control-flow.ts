import type { OnnxGraph } from '../../formats/onnx-file.ts';
import { fixed, lost, lostOf, moved, rows, type Tensor } from '../tensor.ts';
import { sameRows } from '../rules/broadcast.ts';
import { type OnnxCall, intOf } from './call.ts';
import type { Scope, Surroundings } from './surroundings.ts';

type Evaluate = (graph: OnnxGraph, outer: Scope, surroundings: Surroundings) => Scope;

/** A state that has not settled after so many turns is not followed. */
const TURNS = 8;
/** Nor is what stands in so many graphs. */
const DEEPEST = 8;

/** If, Loop and Scan, whose graphs see the tensors around them; null for any other operator. */
export function controlFlow(
  call: OnnxCall,
  scope: Scope,
  surroundings: Surroundings,
  evaluate: Evaluate,
): readonly Tensor[] | null {
  const inside = { ...surroundings, depth: surroundings.depth + 1 };
  const run = (graph: OnnxGraph | undefined, inputs: readonly (Tensor | undefined)[]): Tensor[] => {
    const outer = new Map(scope);
    graph?.input?.forEach(({ name = '' }, index) => {
      const tensor = inputs[index];
      if (tensor !== undefined) outer.set(name, tensor);
    });
    const results = graph === undefined || inside.depth > DEEPEST ? outer : evaluate(graph, outer, inside);
    return (graph?.output ?? []).map(({ name = '' }) => results.get(name) ?? lost(false, [call.name]));
  };
  if (call.name === 'If') return branch(call, run);
  if (call.name === 'Loop') return loop(call, run);
  if (call.name === 'Scan') return scan(call, run);
  return null;
}

type Run = (graph: OnnxGraph | undefined, inputs: readonly (Tensor | undefined)[]) => Tensor[];

function branch(call: OnnxCall, run: Run): Tensor[] {
  const [condition] = call.inputs;
  const [then, otherwise] = [call.attribute('then_branch')?.g, call.attribute('else_branch')?.g];
  const stated = condition?.values?.[0];
  if (stated !== undefined && stated.rows === 0) return run(stated.plus === 0 ? otherwise : then, []);
  const [a, b] = [run(then, []), run(otherwise, [])];
  if (condition?.trace.kind === 'fixed') return a.map((each, index) => joined(each, b[index], call.name));
  return a.map(() => undecided(call, condition));
}

/** What depends on a condition that differs between batches. */
function undecided(call: OnnxCall, condition: Tensor | undefined): Tensor {
  // Sizes that a graph asks about, as exporters write it, may come to the same in the end.
  if (condition?.trace.kind !== 'lost' || condition.trace.operators.join() === 'Shape') return lost(false, [call.name]);
  return lostOf([condition]);
}

function loop(call: OnnxCall, run: Run): Tensor[] {
  const [turns, condition, ...initial] = call.inputs;
  const body = call.attribute('body')?.g;
  for (const each of [turns, condition]) {
    if (each !== undefined && each.trace.kind !== 'fixed') return outputs(call, undecided(call, each));
  }
  let state = initial.map((each) => each ?? lost(false, [call.name]));
  for (let turn = 0; turn < TURNS; turn += 1) {
    const results = run(body, [fixed([]), fixed([]), ...state]);
    const [goesOn, ...rest] = results;
    if (goesOn === undefined || goesOn.trace.kind !== 'fixed') return outputs(call, undecided(call, goesOn));
    const next = state.map((each, index) => joined(each, rest[index], call.name));
    if (next.every((each, index) => alike(each, state[index]!))) {
      return [...next, ...rest.slice(state.length).map((each) => stacked(each, call.name))];
    }
    state = next;
  }
  return outputs(call, lost(false, [call.name]));
}

/** A scan along the rows is not followed; along another axis its body sees the rows without that axis. */
function scan(call: OnnxCall, run: Run): Tensor[] {
  const body = call.attribute('body')?.g;
  const count = intOf(call, 'num_scan_inputs') ?? 1;
  const data = call.inputs.slice(call.inputs.length - count);
  const moving = data.find((each) => each?.trace.kind === 'lost');
  if (moving !== undefined) return outputs(call, lostOf([moving]));
  const plain = ['scan_input_axes', 'scan_output_axes'].every((name) => call.attribute(name) === undefined);
  const within = data.map((each) => (each === undefined ? null : unstacked(each)));
  if (call.opset < 9 || !plain || within.includes(null)) return outputs(call, lost(false, [call.name]));
  let state = call.inputs.slice(0, -count).map((each) => each ?? lost(false, [call.name]));
  for (let turn = 0; turn < TURNS; turn += 1) {
    const results = run(body, [...state, ...(within as Tensor[])]);
    const next = state.map((each, index) => joined(each, results[index], call.name));
    if (next.every((each, index) => alike(each, state[index]!))) {
      return [...next, ...results.slice(state.length).map((each) => stacked(each, call.name))];
    }
    state = next;
  }
  return outputs(call, lost(false, [call.name]));
}

const outputs = (call: OnnxCall, tensor: Tensor): Tensor[] => Array.from({ length: call.outputs }, () => tensor);

/** One place of the first axis, or null where rows stand in it. */
function unstacked(tensor: Tensor): Tensor | null {
  const { trace, dims } = tensor;
  if (dims === null || dims.length === 0) return trace.kind === 'fixed' ? fixed(null) : null;
  if (trace.kind === 'fixed') return fixed(dims.slice(1));
  return trace.kind === 'rows' && trace.axis > 0 ? moved(tensor, dims.slice(1), trace.axis - 1) : null;
}

/** The turns' results along a new first axis. */
function stacked({ trace, dims }: Tensor, operator: string): Tensor {
  if (trace.kind === 'lost') return lost(trace.mixes, trace.operators);
  if (dims === null) return trace.kind === 'fixed' ? fixed(null) : lost(false, [operator]);
  return trace.kind === 'fixed'
    ? fixed([null, ...dims])
    : rows([null, ...dims], trace.axis + 1, trace.outer, trace.inner);
}

/** What is one or the other, and nobody knows which, but it is the same one for each row and any batch. */
function joined(a: Tensor, b: Tensor | undefined, operator: string): Tensor {
  if (b === undefined) return lost(false, [operator]);
  if (a.trace.kind === 'lost' || b.trace.kind === 'lost') return lostOf([a, b]);
  const dims = a.dims === null || b.dims === null || a.dims.length !== b.dims.length ? null : a.dims.map((each, axis) => (each === b.dims![axis] ? each : null)); // prettier-ignore
  if (a.trace.kind === 'fixed' && b.trace.kind === 'fixed') return fixed(dims);
  if (a.trace.kind === 'rows' && b.trace.kind === 'rows' && sameRows(a.trace, b.trace) && dims !== null) {
    return rows(dims, a.trace.axis, a.trace.outer, a.trace.inner);
  }
  return lost(false, [operator]);
}

function alike(a: Tensor, b: Tensor): boolean {
  const same = JSON.stringify([a.trace, a.dims]) === JSON.stringify([b.trace, b.dims]);
  return same && (a.values === null) === (b.values === null);
}
