import protobuf from 'protobufjs';
import type { OnnxFile } from '../formats/onnx-file.ts';
import { onnxMaker } from '../formats/onnx-maker.ts';
import type { FinalSoftmax } from './final-softmax.ts';

/** The tensor before the Softmax that an output ends with. */
export interface OnnxLogits {
  readonly softmax: FinalSoftmax;
  readonly tensor: string;
  /** DataType of onnx.proto3, of the output as well. */
  readonly elementType: number;
}

/**
 * The logits of an output, or null where it does not end with a Softmax over the classes, the second axis, as far as the file
 * declares its axes.
 */
export function onnxLogits(file: OnnxFile, output: string): OnnxLogits | null {
  const { graph, opset_import } = file;
  const maker = onnxMaker(file);
  let node = maker(output);
  // A file has no cycles, but nothing here relies on that.
  for (let steps = 0; node?.op_type === 'Identity' && steps < 16; steps += 1) node = maker(node.input?.[0] ?? '');
  const softmax = node?.op_type;
  const tensor = node?.input?.[0] ?? '';
  const made = graph.node!.some(({ output: tensors }) => tensors?.includes(tensor));
  if ((softmax !== 'Softmax' && softmax !== 'LogSoftmax') || !made) return null;
  const type = graph.output?.find(({ name }) => name === output)?.type?.tensor_type;
  const dims = type?.shape?.dim ?? [];
  const opset = opset_import.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version ?? 1;
  const stated = node!.attribute?.find(({ name }) => name === 'axis');
  // A zero is not written.
  const axis = stated === undefined ? (opset >= 13 ? -1 : 1) : (stated.i ?? 0);
  // Before opset 13 all axes from there on are one, which is the same where those behind have one place.
  const overClasses = (axis < 0 ? axis + dims.length : axis) === 1;
  if (!overClasses || !dims.slice(2).every((each) => each.dim_value === 1)) return null;
  return { softmax, tensor, elementType: type?.elem_type ?? 1 };
}

/**
 * The file with the logits as one more output. Protocol Buffers read a field that comes again as more of it, so what the file has
 * stays, byte for byte, and the output follows.
 */
export function withLogitsOutput(bytes: Uint8Array, { tensor, elementType }: OnnxLogits): Buffer {
  const value = protobuf.Writer.create().uint32((1 << 3) | 2).string(tensor); // ValueInfoProto.name
  value.uint32((2 << 3) | 2).fork(); // .type
  value.uint32((1 << 3) | 2).fork().uint32(1 << 3).int32(elementType).ldelim().ldelim(); // .tensor_type.elem_type
  const graph = protobuf.Writer.create().uint32((12 << 3) | 2).bytes(value.finish()); // GraphProto.output
  const model = protobuf.Writer.create().uint32((7 << 3) | 2).bytes(graph.finish()); // ModelProto.graph
  return Buffer.concat([bytes, model.finish()]);
}
