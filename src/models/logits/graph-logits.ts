import { nodeName } from '../formats/graph-output.ts';
import type { FinalSoftmax } from './final-softmax.ts';

interface GraphNode {
  readonly name?: string;
  readonly op?: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, unknown>>;
}

/**
 * The topology of a GraphModel without the Softmax (over the last axis, as TensorFlow's always is) that an output ends with, or
 * null where there is none, or where something else takes its values too.
 *
 * @param output name of the tensor; left out: the one node that nothing takes
 */
export function graphWithoutSoftmax(
  topology: Readonly<Record<string, unknown>>,
  output?: string,
): { readonly topology: Readonly<Record<string, unknown>>; readonly softmax: FinalSoftmax } | null {
  const nodes = (topology['node'] ?? []) as readonly GraphNode[];
  const byName = new Map(nodes.map((node) => [node.name ?? '', node]));
  const taken = (name: string): number =>
    nodes.reduce((sum, { input = [] }) => sum + input.filter((each) => nodeName(each) === name).length, 0);
  const ends = nodes.filter(({ name = '' }) => taken(name) === 0);
  let node = output === undefined ? (ends.length === 1 ? ends[0] : undefined) : byName.get(nodeName(output));
  for (let steps = 0; node?.op === 'Identity' && steps < 16; steps += 1) {
    node = byName.get(nodeName(node.input?.[0] ?? ''));
    if (node !== undefined && taken(node.name ?? '') > 1) return null;
  }
  const softmax = node?.op;
  if (softmax !== 'Softmax' && softmax !== 'LogSoftmax') return null;
  const { T } = node!.attr ?? {};
  const identity = { ...node, op: 'Identity', attr: T === undefined ? {} : { T } };
  return { topology: { ...topology, node: nodes.map((each) => (each === node ? identity : each)) }, softmax };
}
