import { posix } from 'node:path';
import { Type } from 'typebox';
import { compileSchema } from '../../schema-faults.ts';

/** What is read of TensorFlow.js's model.json: where the weights are; the topology is the library's to read. */
const ModelJson = compileSchema(
  Type.Object({
    format: Type.Union([Type.Literal('layers-model'), Type.Literal('graph-model')]),
    modelTopology: Type.Object({}),
    weightsManifest: Type.Array(
      Type.Object({ paths: Type.Array(Type.String()), weights: Type.Array(Type.Object({})) }),
    ),
  }),
);

/** TensorFlow.js's model.json, read and checked. */
export interface TensorflowJson {
  readonly format: 'layers-model' | 'graph-model';
  readonly modelTopology: Readonly<Record<string, unknown>>;
  readonly modelInitializer?: Readonly<Record<string, unknown>>;
  /** Files of weights in the order of their bytes, as paths in the model folder. */
  readonly weightFiles: readonly string[];
  /** Everything that the library wants of the file, with names, shapes and types of the weights in one list. */
  readonly artifacts: Readonly<Record<string, unknown>>;
}

/**
 * Reads a model.json.
 *
 * @param path of the file in the model folder: weights are named relative to it
 * @throws Error where it is no LayersModel or GraphModel of TensorFlow.js
 */
export function readTensorflowJson(bytes: Uint8Array, path: string): TensorflowJson {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  if (!ModelJson.Check(value)) {
    throw new Error('it needs format (layers-model or graph-model), modelTopology and weightsManifest');
  }
  const { format, weightsManifest, ...rest } = value;
  const { modelTopology, modelInitializer } = rest as Record<'modelTopology', Record<string, unknown>> & {
    readonly modelInitializer?: Record<string, unknown>;
  };
  return {
    format,
    modelTopology,
    ...(modelInitializer === undefined ? {} : { modelInitializer }),
    weightFiles: weightsManifest.flatMap(({ paths }) =>
      paths.map((each) => posix.join(posix.dirname(path), each)),
    ),
    artifacts: { ...rest, format, weightSpecs: weightsManifest.flatMap(({ weights }) => weights) },
  };
}
