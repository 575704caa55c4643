import { expect, it } from 'vitest';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { openTensorflowSession } from '../../src/engines/tensorflow/engine.ts';
import { loadTensorflow } from '../../src/engines/tensorflow/library.ts';
import { domainFault } from '../support/domain-fault.ts';
import { linearTensorflowWriter } from '../support/linear-tensorflow.ts';
import { nativeTensorflowObstacle } from '../support/native-tensorflow.ts';
import { engineLaws } from './engine-laws.ts';

const obstacle = nativeTensorflowObstacle();

if (obstacle === null) {
  console.log('conformance: TensorFlow on CUDA: not run, the libraries built here are those for the CPU');
  for (const format of ['LayersModel', 'GraphModel', 'SavedModel'] as const) {
    engineLaws(`TensorFlow on the CPU, ${format}`, (model) => openTensorflowSession(model, CPU_TARGET), {
      divides: format !== 'LayersModel',
      write: linearTensorflowWriter(format),
    });
  }
} else {
  console.log(`conformance: TensorFlow on the CPU and on CUDA: not run, ${obstacle}`);

  it('TensorFlow says why it is not here, and what runs without it', async () => {
    const fault = await domainFault(() => loadTensorflow(CPU_TARGET));
    expect(fault.code).toBe('engine_missing');
    expect(fault.message).toMatch(/Node 20 and 22|npm run tensorflow/);
    expect(fault.message).toContain('SMOOTHCERT_TENSORFLOW_WASM=allow');
  });
}
