import { Type } from 'typebox';

/** What computed the network's answers. */
export const EngineSchema = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    provider: Type.String({ description: 'what computed: cpu, cuda, tensorrt, webgpu or wasm' }),
    precision: Type.String({ description: 'arithmetic of the network: fp32 or tf32' }),
  },
  { additionalProperties: false, title: 'Engine' },
);
