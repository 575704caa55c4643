import type { Manifest } from '../../src/models/manifest.ts';
import type { RegisteredModel } from '../../src/models/store.ts';
import { type LinearClassifier, PRELUDES } from './linear-onnx.ts';
import { writeLinearModel } from './model-folder.ts';

/** A linear classifier as the laws of engines ask for it; each format of models writes it in its own way. */
export interface LinearLawModel extends LinearClassifier {
  readonly input: Manifest['input'];
  /** The only number of rows that the model takes; left out: any number. */
  readonly batch?: number;
  /** Whether a negative pixel gives a score that is not finite (by a logarithm, for instance). */
  readonly rejectsNegative?: boolean;
  /** Whether it ends with a Softmax over the classes. */
  readonly softmax?: boolean;
  /** Whether pixels are divided by the largest of the whole batch, where the format can say so. */
  readonly mixesRows?: boolean;
  /** Whether the number of scores is left out of what the model declares, where its format allows that. */
  readonly hidesWidth?: boolean;
}

/** Writes a model folder and reads it as the service does. */
export type WriteLinear = (folder: string, options: LinearLawModel) => Promise<RegisteredModel>;

/** Writes linear models in ONNX. */
export const writeLinearOnnx: WriteLinear = (
  folder,
  { rejectsNegative = false, mixesRows = false, hidesWidth = false, ...rest },
) =>
  writeLinearModel(folder, {
    ...rest,
    ...(rejectsNegative ? { prelude: PRELUDES.logarithm } : {}),
    ...(mixesRows ? { prelude: PRELUDES.batchMaximum } : {}),
    ...(hidesWidth ? { declaredOutput: ['batch', 'anything'] } : {}),
  });
