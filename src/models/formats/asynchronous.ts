import { nodeName, onlyOutput } from './graph-output.ts';
import { graphOfJson } from './tensorflow-graph.ts';
import type { TensorflowJson } from './tensorflow-json.ts';

/**
 * Operators that TensorFlow.js 4.22 runs only asynchronously: those of its lists of control flow, of results whose size depends
 * on values, and of tables. A lane asks it for the scores of a batch synchronously, since nothing else may come between.
 */
const ASYNCHRONOUS = new Set([
  ...'Switch Merge Enter Exit NextIteration LoopCond If StatelessIf While StatelessWhile EmptyTensorList'.split(' '),
  ...'Concat ConcatV2 FromTensor Gather GetItem Length PopBack PushBack Reserve Resize Scatter ScatterV2 SetItem Split Stack'.split(' ').map((each) => `TensorList${each}`), // prettier-ignore
  ...'V3 WriteV3 ReadV3 GatherV3 ScatterV3 ConcatV3 SplitV3 SizeV3 CloseV3'.split(' ').map((each) => `TensorArray${each}`), // prettier-ignore
  ...'NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 Where ListDiff'.split(' '),
  ...'HashTable InitializeTable LookupTableFind LookupTableImport LookupTableSize'.split(' ').flatMap((each) => [each, `${each}V2`]), // prettier-ignore
]);

/** The operators of that kind on the way to an output of a GraphModel: the one of that name, or the only one. */
export function asynchronousOperators(json: TensorflowJson, output?: string): string[] {
  const { nodes } = graphOfJson(json, new Uint8Array(0));
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const end = output ?? onlyOutput(nodes, json.artifacts);
  const pending = end === undefined ? nodes.map(({ name }) => name) : [nodeName(end)];
  const reached = new Set<string>();
  const found = new Set<string>();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = byName.get(name);
    if (node === undefined || reached.has(name)) continue;
    reached.add(name);
    if (ASYNCHRONOUS.has(node.op)) found.add(node.op);
    pending.push(...node.inputs.map(nodeName));
  }
  return [...found];
}
