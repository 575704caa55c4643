import { openIn } from '../../src/engines/tensorflow/engine.ts';
import { loadTensorflowWasm } from '../../src/engines/tensorflow/library.ts';
import { linearTensorflowWriter } from '../support/linear-tensorflow.ts';
import { engineLaws } from './engine-laws.ts';

for (const format of ['LayersModel', 'GraphModel'] as const) {
  engineLaws(
    `TensorFlow.js on WebAssembly, ${format}`,
    async (model) => openIn(await loadTensorflowWasm(), model),
    { divides: format !== 'LayersModel', write: linearTensorflowWriter(format) },
  );
}
