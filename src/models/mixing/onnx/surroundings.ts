import type { OnnxAttribute, OnnxFunction } from '../../formats/onnx-file.ts';
import type { Tensor } from '../tensor.ts';

/** What the nodes of a graph are read with. */
export interface Surroundings {
  readonly batch: number | null;
  readonly functions: ReadonlyMap<string, OnnxFunction>;
  readonly opset: number;
  /** In a function: the attributes that its call gives it. */
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
  readonly depth: number;
  /** Nodes that may still be looked at; functions that call others could be without end. */
  readonly budget: { left: number };
}

/** Tensors by name. */
export type Scope = ReadonlyMap<string, Tensor>;

