import { type OnnxAttribute, type OnnxFile, type OnnxGraph, type OnnxNode, type OnnxSparse, type OnnxTensor } from './onnx-file.ts'; // prettier-ignore
import { integersOf } from './onnx-values.ts';

/** Operators whose output is drawn at random: a base classifier must be a function. */
export const RANDOM_OPERATORS: ReadonlySet<string> = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
]);

/** What an ONNX file says of itself that matters for safety and soundness. */
export interface OnnxInspection {
  /** Files that hold weights outside the model file, as written. */
  readonly externalFiles: readonly string[];
  /** Operators that draw random numbers or work in training mode. */
  readonly randomOperators: readonly string[];
}

/** Looks through all graphs of an ONNX file, without running or allocating its weights. */
export function inspectOnnx({ graph, functions }: OnnxFile): OnnxInspection {
  const externalFiles = new Set<string>();
  const randomOperators = new Set<string>();

  const visitTensor = (tensor: OnnxTensor | undefined): void => {
    for (const { key, value } of tensor?.external_data ?? []) {
      if (key === 'location') externalFiles.add(value ?? '');
    }
  };
  const visitSparse = (sparse: OnnxSparse | undefined): void => {
    visitTensor(sparse?.values);
    visitTensor(sparse?.indices);
  };
  const visitAttribute = (attribute: OnnxAttribute, outer: Constants): void => {
    visitTensor(attribute.t);
    visitSparse(attribute.sparse_tensor);
    if (attribute.g !== undefined) visitGraph(attribute.g, outer);
    attribute.tensors?.forEach(visitTensor);
    attribute.sparse_tensors?.forEach(visitSparse);
    attribute.graphs?.forEach((graph) => visitGraph(graph, outer));
  };
  const visitNodes = (nodes: readonly OnnxNode[] | undefined, outer: Constants): void => {
    const constants = new Map(outer);
    for (const node of nodes ?? []) {
      const value = node.op_type === 'Constant' ? node.attribute?.find(({ name }) => name === 'value')?.t : undefined;
      // A name that is made again is no constant any more.
      for (const name of node.output ?? []) constants.delete(name);
      if (value !== undefined) constants.set(node.output?.[0] ?? '', value);
    }
    for (const node of nodes ?? []) {
      const name = node.op_type ?? '';
      if (RANDOM_OPERATORS.has(name) || trains(node, constants)) randomOperators.add(name);
      node.attribute?.forEach((attribute) => visitAttribute(attribute, constants));
    }
  };
  function visitGraph(graph: OnnxGraph, outer: Constants): void {
    graph.initializer?.forEach(visitTensor);
    graph.sparse_initializer?.forEach(visitSparse);
    const named = (graph.initializer ?? []).map((tensor) => [tensor.name ?? '', tensor] as const);
    // An initializer that is an input too may be given another value.
    const inputs = new Set(graph.input?.map(({ name }) => name));
    visitNodes(graph.node, new Map([...outer, ...named.filter(([name]) => !inputs.has(name))]));
  }
  visitGraph(graph, new Map());
  for (const { node } of functions) visitNodes(node, new Map());
  return { externalFiles: [...externalFiles], randomOperators: [...randomOperators] };
}

type Constants = ReadonlyMap<string, OnnxTensor>;

/** Whether an operator works in training mode, by its attribute or, as Dropout does, by its third input. */
function trains({ op_type: name, attribute, input }: OnnxNode, constants: Constants): boolean {
  if (attribute?.some(({ name, i }) => name === 'training_mode' && i === 1) === true) return true;
  const mode = input?.[2] ?? '';
  if (name !== 'Dropout' || mode === '') return false;
  // Exporters write the mode out as a constant; one that is computed may be true.
  const stated = constants.get(mode);
  return stated === undefined || integersOf(stated)?.every((each) => each === 0) !== true;
}
