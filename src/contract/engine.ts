import { Type } from 'typebox';
import { OneOf } from './building-blocks.ts';

/** What computed the network's answers. */
export const EngineSchema = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    provider: Type.String({ description: 'what computed: cpu, cuda, tensorrt, webgpu or wasm' }),
    precision: Type.String({ description: 'arithmetic of the network: fp32 or tf32' }),
    rows: Type.Optional(
      OneOf(['proved', 'probed', 'alone'], {
        title: 'RowIndependence',
        description:
          'how it is known that the rows of a batch do not influence one another: by the graph of the file and a probe, by the probe alone, or since each row is computed by itself',
      }),
    ),
    output: Type.Optional(
      Type.String({
        description:
          'what is compared, where that is not the output of the file: logits before Softmax, or before LogSoftmax',
      }),
    ),
    batch: Type.Optional(
      Type.Integer({
        description:
          "rows of every call, where a row's scores depend on it; left out where every batch gives the same votes",
      }),
    ),
  },
  { additionalProperties: false, title: 'Engine' },
);
