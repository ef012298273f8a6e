/** The element types of tensors, by their number in onnx.proto's `TensorProto.DataType`. */
export const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
} as const;

/** The name of a tensor's element type. */
export type ElementType = keyof typeof ELEMENT_TYPES;

const NAMES = new Map(
  Object.entries(ELEMENT_TYPES).map(([name, number]) => [number as number, name as ElementType]),
);

/** @returns undefined for a number that onnx.proto had not given away at ONNX 1.16 */
export function findElementType(number: number): ElementType | undefined {
  return NAMES.get(number);
}

/** A dimension: a length, a name that stands for one (`N`), or null where nothing is said. */
export type Dimension = number | string | null;
