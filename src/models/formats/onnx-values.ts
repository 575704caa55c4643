import protobuf from 'protobufjs';
import type { OnnxTensor } from './onnx-file.ts';

/** Tensors of more elements are weights, whose values nobody asks for. */
const SMALL = 256;

/** Bytes an element and reader of the element types of onnx.proto3 that shapes, scales and conditions have. */
const RAW: Readonly<Record<number, readonly [number, (view: DataView, at: number) => number]>> = {
  1: [4, (view, at) => view.getFloat32(at, true)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [1, (view, at) => view.getInt8(at)],
  6: [4, (view, at) => view.getInt32(at, true)],
  7: [8, (view, at) => Number(view.getBigInt64(at, true))],
  9: [1, (view, at) => view.getUint8(at)],
  11: [8, (view, at) => view.getFloat64(at, true)],
};
const FLOATING = new Set([1, 10, 11, 16]);

/** Whether a tensor is of integers or truth values. */
export const isWhole = ({ data_type: type = 0 }: OnnxTensor): boolean => !FLOATING.has(type);

/** The values of a small tensor that stands in the file itself, or null. */
export function valuesOf(tensor: OnnxTensor): number[] | null {
  const { dims = [], data_type: type = 0, external_data: external = [] } = tensor;
  const count = dims.reduce((all, each) => all * each, 1);
  const raw = RAW[type];
  if (raw === undefined || count > SMALL || external.length > 0) return null;
  const [bytes, read] = raw;
  const packed = tensor.raw_data ?? (type === 1 ? tensor.float_data : type === 11 ? tensor.double_data : undefined);
  if (packed !== undefined && packed.length > 0) {
    if (packed.length !== count * bytes) return null;
    const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
    return Array.from({ length: count }, (_, index) => read(view, index * bytes));
  }
  if (count === 0) return [];
  const varints = type === 7 ? tensor.int64_data : tensor.int32_data;
  if (varints === undefined || FLOATING.has(type)) return null;
  const reader = protobuf.Reader.create(varints);
  const found: number[] = [];
  while (reader.pos < reader.len) found.push(Number(reader.int64()));
  return found.length === count ? found : null;
}

/** As `valuesOf`, of integers and truth values only. */
export const integersOf = (tensor: OnnxTensor): number[] | null => (isWhole(tensor) ? valuesOf(tensor) : null);

/**
 * Whether all slices of a tensor along an axis are the same bytes. Only for data that stand in the file as they are in memory;
 * anything else is not known to be equal.
 */
export function equalAlong({ dims = [], raw_data: raw, external_data: external = [] }: OnnxTensor, axis: number): boolean {
  const count = dims[axis];
  if (raw === undefined || external.length > 0 || count === undefined) return false;
  const total = dims.reduce((all, each) => all * each, 1);
  const inner = dims.slice(axis + 1).reduce((all, each) => all * each, 1) * (raw.length / total);
  if (!Number.isInteger(inner) || inner === 0) return false;
  const outer = raw.length / (inner * count);
  const part = (at: number): Uint8Array => raw.subarray(at, at + inner);
  for (let block = 0; block < outer; block += 1) {
    const first = part(block * count * inner);
    for (let index = 1; index < count; index += 1) {
      if (Buffer.compare(first, part((block * count + index) * inner)) !== 0) return false;
    }
  }
  return true;
}
