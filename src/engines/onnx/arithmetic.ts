import ort from 'onnxruntime-node';

/** An ONNX file of one node, c = MatMul(a, b), for float32 matrices of any size. */
export const PRODUCT_MODEL = Buffer.from(
  'CAgSEHNtb290aGNlcnQgdGVzdHM6XwoRCgFhCgFiEgFjIgZNYXRNdWwSBWdyYXBoWhUKAWESEAoOCAESCgoDEgFtCgMSAWtaFQoBYhIQCg4IARIK' +
    'CgMSAWsKAxIBbmIVCgFjEhAKDggBEgoKAxIBbQoDEgFuQgIQEQ==',
  'base64',
);

/** Rows and columns of the trial's matrices: enough for a library to prefer its fastest kernels. */
const SIZE = 256;
/** Float32 holds it exactly; TF32, with its 10 bits after the point, rounds it to 1. */
const FINE = 1 + 2 ** -12;

/**
 * Whether products of matrices are those of float32 with these options: a trial multiplies numbers that TF32 and fp16
 * would round to 1.
 */
export async function multipliesInFloat32(options: ort.InferenceSession.SessionOptions): Promise<boolean> {
  const session = await ort.InferenceSession.create(PRODUCT_MODEL, options);
  try {
    const identity = new Float32Array(SIZE * SIZE);
    for (let index = 0; index < SIZE; index += 1) identity[index * (SIZE + 1)] = 1;
    const dims = [SIZE, SIZE];
    const { c } = await session.run({
      a: new ort.Tensor('float32', new Float32Array(SIZE * SIZE).fill(FINE), dims),
      b: new ort.Tensor('float32', identity, dims),
    });
    return (c!.data as Float32Array).every((each) => each === FINE);
  } finally {
    await session.release();
  }
}
