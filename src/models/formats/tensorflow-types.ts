/** DataType of TensorFlow's types.proto, by number and by name, and what its elements are called here. */
const ROWS = [
  [1, 'DT_FLOAT', 'float32'],
  [2, 'DT_DOUBLE', 'float64'],
  [3, 'DT_INT32', 'int32'],
  [4, 'DT_UINT8', 'uint8'],
  [7, 'DT_STRING', 'string'],
  [9, 'DT_INT64', 'int64'],
  [19, 'DT_HALF', 'float16'],
] as const;

/** What the elements of a tensor of this DataType are called, such as float32; undefined for one that no model here has. */
export function elementType(dataType: number | string | undefined): string | undefined {
  return ROWS.find(([number, name]) => String(dataType) === String(number) || dataType === name)?.[2];
}
