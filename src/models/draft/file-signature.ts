import type { DeclaredTensor } from '../declared-tensor.ts';
import type { EngineName } from '../manifest.ts';

/** What a model file says of what goes in and what comes out, read without running anything of it. */
export interface FileSignature {
  readonly engine: EngineName;
  /** In words, with the version of its operators where it has one. */
  readonly format: string;
  readonly inputs: readonly DeclaredTensor[];
  readonly outputs: readonly DeclaredTensor[];
  /** Operator or activation that makes the values of each output, whatever only shapes or converts them behind it; "" where it cannot be told. */
  readonly madeBy: ReadonlyMap<string, string>;
}
