import type { EngineName } from '../manifest.ts';

/** An input or output as a model file declares it. */
export interface FileTensor {
  readonly name: string;
  /** What a signature calls it, where that is another name. */
  readonly alias?: string;
  /** Such as float32; "" where it is no tensor, undefined where the file does not say. */
  readonly type: string | undefined;
  /** Null in place of a dimension is one of any size; in place of the shape, that the file does not say. */
  readonly shape: readonly (number | null)[] | null;
}

/** What a model file says of what goes in and what comes out, read without running anything of it. */
export interface FileSignature {
  readonly engine: EngineName;
  /** In words, with the version of its operators where it has one. */
  readonly format: string;
  readonly inputs: readonly FileTensor[];
  readonly outputs: readonly FileTensor[];
  /** Operator or activation that makes each output, by its name, where it can be told. */
  readonly madeBy: ReadonlyMap<string, string>;
}
