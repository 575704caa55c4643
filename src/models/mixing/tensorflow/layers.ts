import type { BatchMixing } from '../../batch-mixing.ts';

type Json = Readonly<Record<string, unknown>>;

/** Layers that work on each row by itself however they are set: their axes do not count the batch. */
const BY_ROW = new Set(
  `
  InputLayer Activation ReLU LeakyReLU PReLU ELU ThresholdedReLU Dense Dropout SpatialDropout1D Flatten Reshape Permute RepeatVector
  Masking GaussianNoise GaussianDropout AlphaDropout ActivityRegularization Embedding Conv1D Conv2D Conv3D Conv2DTranspose
  Conv3DTranspose SeparableConv2D DepthwiseConv2D Cropping2D UpSampling2D ZeroPadding2D MaxPooling1D MaxPooling2D MaxPooling3D
  AveragePooling1D AveragePooling2D AveragePooling3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D
  GlobalMaxPooling2D Add Multiply Average Maximum Minimum SimpleRNN GRU LSTM ConvLSTM2D SimpleRNNCell GRUCell LSTMCell
  StackedRNNCells RNN ConvLSTM2DCell TimeDistributed Bidirectional Rescaling Resizing CenterCrop
`
    .trim()
    .split(/\s+/),
);

/** Layers whose axes count the batch as 0, with what they do where they meet it. */
const BY_AXIS: Readonly<Record<string, { readonly key: string; readonly batch: 'mixes' | 'unknown' }>> = {
  Softmax: { key: 'axis', batch: 'mixes' },
  LayerNormalization: { key: 'axis', batch: 'mixes' },
  BatchNormalization: { key: 'axis', batch: 'unknown' },
  Concatenate: { key: 'axis', batch: 'unknown' },
  Dot: { key: 'axes', batch: 'unknown' },
};

/** Models that stand among the layers of another. */
const NESTED = new Set(['Sequential', 'Functional', 'Model']);

/** What the layers of a LayersModel do to the rows of a batch. A layer that is not listed is not known. */
export function layersMixing(topology: Json): BatchMixing {
  const mixing = new Set<string>();
  const unknown = new Set<string>();
  const visit = (layer: unknown): void => {
    const { class_name: name, config } = (layer ?? {}) as { readonly class_name?: unknown; readonly config?: unknown };
    if (typeof name !== 'string') {
      unknown.add('a layer without a class');
      return;
    }
    const settings = (typeof config === 'object' && config !== null ? config : {}) as Json;
    if (NESTED.has(name)) layersOf(config).forEach(visit);
    else if (BY_AXIS[name] !== undefined) {
      const { key, batch } = BY_AXIS[name];
      const verdict = axesMeetBatch(settings[key] ?? -1);
      if (verdict === 'unknown' || (verdict === 'batch' && batch === 'unknown')) unknown.add(name);
      else if (verdict === 'batch') mixing.add(name);
    } else if (!BY_ROW.has(name)) unknown.add(name);
    for (const inner of [settings['layer'], settings['cell'], ...list(settings['cells'])]) {
      if (inner !== undefined) visit(inner);
    }
  };
  visit(topology['model_config'] ?? topology);
  if (mixing.size > 0) return { verdict: 'mixes', operators: [...mixing] };
  return unknown.size > 0
    ? { verdict: 'unknown', operators: [...unknown] }
    : { verdict: 'independent', operators: [] };
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Layers of a model; old files have them in place of its settings. */
function layersOf(config: unknown): unknown[] {
  return Array.isArray(config) ? config : list((config as Json | null | undefined)?.['layers']);
}

/** Axes from the end other than the last may be the batch, since ranks are not known here. */
function axesMeetBatch(axes: unknown): 'batch' | 'apart' | 'unknown' {
  const all = Array.isArray(axes) ? axes.flat() : [axes];
  if (all.includes(0)) return 'batch';
  return all.every((axis) => axis === -1 || (Number.isInteger(axis) && (axis as number) > 0)) ? 'apart' : 'unknown';
}
