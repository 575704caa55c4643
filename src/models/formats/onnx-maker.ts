import type { OnnxFile, OnnxNode } from './onnx-file.ts';

/**
 * Finds the node that makes a tensor of a file's graph, where it is one of ONNX's own operators; undefined for others, whatever
 * they are called: those of other domains, and functions of the file.
 */
export function onnxMaker({ graph, functions }: OnnxFile): (tensor: string) => OnnxNode | undefined {
  const makers = new Map((graph.node ?? []).flatMap((node) => (node.output ?? []).map((name) => [name, node] as const)));
  return (tensor) => {
    const node = makers.get(tensor);
    const { domain = '', op_type: type = '' } = node ?? {};
    const own = functions.some((each) => each.name === type && (each.domain ?? '') === domain);
    return own || (domain !== '' && domain !== 'ai.onnx') ? undefined : node;
  };
}
