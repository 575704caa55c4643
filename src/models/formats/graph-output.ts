import type { GraphNode } from './tensorflow-graph.ts';

interface Signed {
  readonly outputs?: Readonly<Record<string, { readonly name?: string }>>;
}

/** The name of a node in `node`, `node:1`, `node:output:0` or `^node`. */
export const nodeName = (reference: string): string => reference.replace(/^\^/, '').split(':')[0]!;

/**
 * The output that TensorFlow.js gives where a GraphModel has one: of its signature, or of the nodes that no other takes;
 * undefined where there are several.
 */
export function onlyOutput(
  nodes: readonly Pick<GraphNode, 'name' | 'inputs'>[],
  artifacts: Readonly<Record<string, unknown>>,
): string | undefined {
  const { signature, userDefinedMetadata } = artifacts as { signature?: Signed; userDefinedMetadata?: { signature?: Signed } };
  const signed = Object.values((signature ?? userDefinedMetadata?.signature)?.outputs ?? {});
  if (signed.length > 0) return signed.length === 1 ? signed[0]!.name : undefined;
  const taken = new Set(nodes.flatMap(({ inputs }) => inputs.map(nodeName)));
  const last = nodes.filter(({ name }) => !taken.has(name));
  return last.length === 1 ? last[0]!.name : undefined;
}
