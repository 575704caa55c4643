// Writes a CIFAR ResNet-20 (He et al. 2016, section 4.2, strided 1x1 convolutions as shortcuts) with random weights as a
// TensorFlow.js LayersModel with its manifest: for timing only, its answers mean nothing.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const SEED = 20190208;

/** Writes the model into `folder`, which is created. */
export async function writeResnet20(folder) {
  const tf = { ...require('@tensorflow/tfjs-core'), ...require('@tensorflow/tfjs-layers') };
  require('@tensorflow/tfjs-backend-cpu');
  tf.enableProdMode();
  await tf.setBackend('cpu');
  let seed = SEED;
  const conv = (x, filters, kernelSize, strides) => {
    seed += 1;
    const kernelInitializer = tf.initializers.heNormal({ seed });
    return tf.layers.conv2d({ filters, kernelSize, strides, padding: 'same', kernelInitializer }).apply(x);
  };
  const relu = (x) => tf.layers.reLU().apply(x);
  const block = (x, filters, strides) => {
    const through = conv(relu(conv(x, filters, 3, strides)), filters, 3, 1);
    const around = strides === 1 ? x : conv(x, filters, 1, strides);
    return relu(tf.layers.add().apply([through, around]));
  };
  const input = tf.input({ shape: [32, 32, 3] });
  let x = relu(conv(input, 16, 3, 1));
  for (const [stage, filters] of [16, 32, 64].entries()) {
    for (let index = 0; index < 3; index += 1) x = block(x, filters, stage > 0 && index === 0 ? 2 : 1);
  }
  const pooled = tf.layers.globalAveragePooling2d({}).apply(x);
  const kernelInitializer = tf.initializers.glorotNormal({ seed });
  const outputs = tf.layers.dense({ units: 10, kernelInitializer }).apply(pooled);
  const model = tf.model({ inputs: input, outputs });

  mkdirSync(folder, { recursive: true });
  const files = [];
  const write = (path, bytes) => {
    writeFileSync(join(folder, path), bytes);
    files.push({ path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length });
  };
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      const json = { format: 'layers-model', modelTopology, weightsManifest };
      write('model.json', Buffer.from(JSON.stringify(json)));
      write('weights.bin', Buffer.from(weightData));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const manifest = {
    manifestVersion: 1,
    name: 'resnet20-tensorflow',
    version: '1.0.0',
    engine: 'tensorflow',
    files,
    input: { height: 32, width: 32, channels: 3, layout: 'NHWC', colourSpace: 'rgb' },
    output: { classes: 10, labels: Array.from({ length: 10 }, (_, index) => String(index)) },
    smoothing: { trainedSigma: 0.25 },
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
}
