import { size } from '../size.ts';
import { fixed, known, type Tensor } from '../tensor.ts';
import { type OnnxCall, weight } from './call.ts';

/** What a Constant node makes, in any of the ways in which it may be written. */
export function constantNode(call: OnnxCall): Tensor {
  const { t: value } = call.attribute('value') ?? {};
  if (value !== undefined) return weight(value, call.batch);
  const float = call.attribute('value_float');
  if (float !== undefined) return known([size(float.f ?? 0)], [], false);
  const int = call.attribute('value_int');
  if (int !== undefined) return known([size(int.i ?? 0)], [], true);
  const list = call.attribute('value_ints') ?? call.attribute('value_floats');
  if (list !== undefined) {
    const values = list.ints ?? list.floats ?? [];
    return known(values.map((each) => size(each)), [values.length], list.ints !== undefined);
  }
  const sparse = call.attribute('sparse_value')?.sparse_tensor;
  return fixed(sparse === undefined ? null : (sparse.dims ?? []).map(Number));
}
