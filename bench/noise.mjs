// Speed of the noise: millions of elements a second on one thread, image added and float32 written, against a plain
// Box-Muller loop in JavaScript that writes the same batch. Best of several repetitions, since other work on the
// machine only ever slows a repetition down. Needs `npm run build`.
import { cpus } from 'node:os';
import { argv } from 'node:process';
import { pathToFileURL } from 'node:url';
import { gaussianCutpoints } from '../dist/random/cutpoints.js';
import { NoiseKernel } from '../dist/random/noise-kernel.js';

const SIGMAS = [0.12, 0.25, 0.5, 1];
const SHAPES = [
  { name: 'MNIST', elements: 784, rows: 1024 },
  { name: 'CIFAR-10', elements: 3072, rows: 256 },
  { name: 'ImageNet', elements: 150_528, rows: 8 },
];
const REPETITIONS = 100;
const STREAM = { key0: 0x01234567, key1: 0x89abcdef, stream: 1 };

/** Millions of elements a second in the fastest of some repetitions, the first of which only warm up. */
function best(elements, repetitions, work) {
  let fastest = Infinity;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const start = performance.now();
    work(repetition);
    fastest = Math.min(fastest, performance.now() - start);
  }
  return elements / fastest / 1000;
}

/** The kernel; `together` rows a call. */
function kernelSpeed(sigma, { elements, rows }, together) {
  const kernel = NoiseKernel.create({ elements, rows });
  kernel.setLaw(gaussianCutpoints(sigma));
  const image = Uint8Array.from({ length: elements }, (_, i) => i % 256);
  return best(elements * rows, REPETITIONS, (repetition) => {
    for (let row = 0; row < rows; row += together) {
      const firstSample = repetition * rows + row;
      kernel.fill({ row, rows: together, image, stream: STREAM, purpose: 'estimation', firstSample });
    }
  });
}

/** x/255 + σz with Math.random, Math.log and Math.cos: what a plain implementation does. */
function boxMullerSpeed(sigma, { elements, rows }) {
  const image = Float32Array.from({ length: elements }, (_, i) => (i % 256) / 255);
  const batch = new Float32Array(elements * rows);
  return best(elements * rows, 5, () => {
    for (let row = 0; row < rows; row++) {
      for (let element = 0; element < elements; element += 2) {
        const radius = sigma * Math.sqrt(-2 * Math.log(1 - Math.random()));
        const angle = 2 * Math.PI * Math.random();
        batch[row * elements + element] = image[element] + radius * Math.cos(angle);
        batch[row * elements + element + 1] = image[element + 1] + radius * Math.sin(angle);
      }
    }
  });
}

/** Prints the table and returns its rows. */
export async function run() {
  console.log(`noise, one thread: ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`);
  console.log('M elements/s               kernel   a row a call   Box-Muller   ratio');
  const results = [];
  for (const shape of SHAPES) {
    for (const sigma of SIGMAS) {
      const kernel = kernelSpeed(sigma, shape, shape.rows);
      const single = kernelSpeed(sigma, shape, 1);
      const boxMuller = boxMullerSpeed(sigma, shape);
      results.push({ ...shape, sigma, kernel, single, boxMuller });
      const label = `${shape.name} (${shape.elements}), σ ${sigma}`;
      const ratio = `${(kernel / boxMuller).toFixed(1)}×`;
      console.log(
        label.padEnd(25),
        kernel.toFixed(0).padStart(7),
        single.toFixed(0).padStart(14),
        boxMuller.toFixed(1).padStart(12),
        ratio.padStart(7),
      );
    }
  }
  return results;
}

if (import.meta.url === pathToFileURL(argv[1]).href) await run();
