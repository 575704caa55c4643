import { readdir, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { describe, expect, it, vi } from 'vitest';
import { PRODUCT_MODEL } from '../../../../src/engines/onnx/arithmetic.ts';
import {
  judgePlacement,
  type PlacedNode,
  placedNodes,
  withProfile,
} from '../../../../src/engines/onnx/placement.ts';
import { useTemporaryDirectory } from '../../../support/temporary-directory.ts';

const directory = useTemporaryDirectory();

const ran = (provider: string, node = 'conv_0', operator = 'Conv'): PlacedNode => ({
  node,
  operator,
  provider,
});

describe('placedNodes', () => {
  it('reads the nodes and their providers out of a profile, and nothing else', () => {
    // Events of onnxruntime-node 1.30.0 with WebGPU on SwiftShader, shortened.
    const profile = `[
      {"cat":"Session","pid":1,"tid":1,"dur":7,"ts":1,"ph":"X","name":"model_loading_uri","args":{}},
      {"cat":"Node","pid":1,"tid":1,"dur":3773,"ts":2,"ph":"X","name":"conv_0_token_2_kernel_time",
       "args":{"op_name":"Conv","provider":"WebGpuExecutionProvider","node_index":"22"}},
      {"cat":"Node","pid":1,"tid":1,"dur":1,"ts":3,"ph":"X","name":"conv_0_token_2_fence_before","args":{"op_name":"Conv"}},
      {"cat":"Api","pid":1,"tid":1,"dur":4,"ts":4,"ph":"X","name":"relu_8&Relu&Relu","args":{"cache_key":"Relu:1|2;:"}}
    ]`;
    expect(placedNodes(profile)).toEqual([ran('WebGpuExecutionProvider', 'conv_0_token_2')]);
  });
});

describe('judgePlacement', () => {
  it('names the provider that ran every node', () => {
    expect(judgePlacement([ran('WebGpuExecutionProvider')], ['webgpu'])).toEqual({ provider: 'webgpu' });
  });

  it('says TensorRT only where TensorRT ran a node, and takes CUDA beside it', () => {
    const providers = ['tensorrt', 'cuda'] as const;
    const cuda = ran('CUDAExecutionProvider');
    const tensorrt = ran('TensorrtExecutionProvider', 'TRTKernel_graph_0', 'TRTKernel_graph');
    expect(judgePlacement([cuda, tensorrt], providers)).toEqual({ provider: 'tensorrt' });
    expect(judgePlacement([cuda], providers)).toEqual({ provider: 'cuda' });
    expect(judgePlacement([tensorrt], ['cuda'])).toHaveProperty('fault');
  });

  it('refuses one node on the CPU, copies to it notwithstanding, and names it', () => {
    const nodes = [
      ran('CUDAExecutionProvider'),
      ran('CUDAExecutionProvider', 'Memcpy_token_1', 'MemcpyToHost'),
      ran('CPUExecutionProvider', 'shape_3', 'Shape'),
    ];
    expect(judgePlacement(nodes, ['cuda'])).toEqual({
      fault: 'not all of it computes on cuda: shape_3 (Shape) ran on CPUExecutionProvider',
    });
  });

  it('names ten nodes at most', () => {
    const nodes = Array.from({ length: 1_000 }, (_, index) => ran('CPUExecutionProvider', `node_${index}`));
    const verdict = judgePlacement(nodes, ['webgpu']);
    expect(verdict).toEqual({ fault: expect.stringMatching(/node_9 .*, 990 more$/) });
  });

  it('refuses where nothing ran: that proves nothing', () => {
    expect(judgePlacement([], ['cuda'])).toEqual({ fault: 'no node of it ran in a trial' });
  });
});

describe('withProfile', () => {
  /** A folder that takes the place of /tmp; what is left in it when a test ends. */
  async function temporary(name: string): Promise<() => Promise<string[]>> {
    const folder = directory(name);
    await mkdir(folder);
    vi.stubEnv('TMPDIR', folder);
    return () => readdir(folder);
  }

  it('reads what ran, and leaves no file', async () => {
    const left = await temporary('read');
    const nodes = await withProfile(async (options, read) => {
      const session = await ort.InferenceSession.create(PRODUCT_MODEL, options);
      const matrix = new ort.Tensor('float32', Float32Array.of(1), [1, 1]);
      await session.run({ a: matrix, b: matrix });
      const placed = await read(session);
      await session.release();
      return placed;
    });
    expect(nodes.map(({ operator, provider }) => [operator, provider])).toEqual([
      ['MatMul', 'CPUExecutionProvider'],
    ]);
    expect(await left()).toEqual([]);
    vi.unstubAllEnvs();
  });

  it('leaves no file where the session cannot be used', async () => {
    const left = await temporary('failed');
    const failing = withProfile(async ({ profileFilePrefix }) => {
      await writeFile(join(`${profileFilePrefix}.json`), '[');
      throw new Error('no session');
    });
    await expect(failing).rejects.toThrow('no session');
    expect(await left()).toEqual([]);
    vi.unstubAllEnvs();
  });
});
