import { posix } from 'node:path';
import { Type } from 'typebox';
import { compileSchema } from '../../schema-faults.ts';
import { legacyKeras } from './keras.ts';

/** What is read of TensorFlow.js's model.json: where the weights are; the topology is the library's to read. */
const ModelJson = compileSchema(
  Type.Object({
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
 * Reads a model.json. What Keras 3 writes otherwise than Keras 2 and the library does not know is written as in Keras 2, where
 * it means the same.
 *
 * @param path of the file in the model folder: weights are named relative to it
 * @throws Error where it is no LayersModel or GraphModel of TensorFlow.js, or none that the library can read
 */
export function readTensorflowJson(bytes: Uint8Array, path: string): TensorflowJson {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  if (!ModelJson.Check(value)) throw new Error('it needs modelTopology and weightsManifest');
  const { weightsManifest, ...rest } = value;
  const { modelTopology, modelInitializer } = rest as Record<'modelTopology', Record<string, unknown>> & {
    readonly modelInitializer?: Record<string, unknown>;
  };
  const format = formatOf((rest as { readonly format?: unknown }).format, modelTopology);
  const topology = format === 'layers-model' ? legacyKeras(modelTopology) : modelTopology;
  return {
    format,
    modelTopology: topology,
    ...(modelInitializer === undefined ? {} : { modelInitializer }),
    weightFiles: weightsManifest.flatMap(({ paths }) =>
      paths.map((each) => posix.join(posix.dirname(path), each)),
    ),
    artifacts: {
      ...rest,
      format,
      modelTopology: topology,
      weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
    },
  };
}

/** The format that a file states; older files leave it out, and then the topology shows it. */
function formatOf(stated: unknown, topology: Record<string, unknown>): 'layers-model' | 'graph-model' {
  if (stated === 'layers-model' || stated === 'graph-model') return stated;
  if (stated !== undefined && stated !== null) {
    throw new Error(`its format is ${JSON.stringify(stated)}; layers-model and graph-model are read`);
  }
  const [layers, graph] = [
    'model_config' in topology || 'class_name' in topology,
    Array.isArray(topology['node']),
  ];
  if (layers !== graph) return layers ? 'layers-model' : 'graph-model';
  throw new Error('it says no format, and its modelTopology is neither of layers nor a graph');
}
