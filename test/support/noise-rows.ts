import { type Cutpoints } from '../../src/random/cutpoints.ts';
import { NoiseKernel } from '../../src/random/noise-kernel.ts';
import { type NoiseStream, type Purpose } from '../../src/random/noise-stream.ts';

/** The noise itself, row after row: what a kernel of output grid writes for a black image. */
export function noiseRows(options: {
  cutpoints: Cutpoints;
  elements: number;
  rows: number;
  stream: NoiseStream;
  purpose?: Purpose | number;
  firstSample?: number;
}): Int16Array {
  const { cutpoints, elements, rows, stream, purpose = 'estimation', firstSample = 0 } = options;
  const kernel = NoiseKernel.create({ elements, rows, output: { kind: 'grid' } });
  kernel.setLaw(cutpoints);
  const image = new Uint8Array(elements);
  kernel.fill({ row: 0, rows, image, stream, purpose, firstSample });
  return kernel.grid;
}
