import { softwareWebgpu } from './software-webgpu.ts';

/** Says once a run which conformance suite this machine cannot run, and why. */
export default function sayWhatIsNotRun(): void {
  if (softwareWebgpu() === null)
    console.log('conformance: onnx webgpu: not run, there is no /usr/lib/chromium with SwiftShader');
}
