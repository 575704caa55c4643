import { nativeTensorflowObstacle } from './native-tensorflow.ts';
import { softwareWebgpu } from './software-webgpu.ts';

/** Says once a run which suites this machine cannot run, and why. */
export default function sayWhatIsNotRun(): void {
  if (softwareWebgpu() === null)
    console.log('conformance: onnx webgpu: not run, there is no /usr/lib/chromium with SwiftShader');
  const obstacle = nativeTensorflowObstacle();
  if (obstacle !== null) console.log(`training: steps and export in TensorFlow: not run, ${obstacle}`);
}
