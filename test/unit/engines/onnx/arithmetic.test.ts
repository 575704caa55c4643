import { expect, it } from 'vitest';
import { multipliesInFloat32 } from '../../../../src/engines/onnx/arithmetic.ts';

it('the CPU multiplies in float32', async () => {
  expect(await multipliesInFloat32({ executionProviders: ['cpu'] })).toBe(true);
});
