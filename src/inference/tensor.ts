import { assert, SerinError } from "../core/mod.ts";

/** The datatypes of the Open Inference Protocol v2 that serin's engines know. */
export const DATATYPES = [
  "BOOL",
  "UINT8",
  "INT8",
  "INT16",
  "UINT16",
  "INT32",
  "UINT32",
  "INT64",
  "UINT64",
  "FP32",
  "FP64",
  "BYTES",
] as const;

/** A name of {@linkcode DATATYPES}. */
export type Datatype = typeof DATATYPES[number];

/** The values of a tensor, row-major. BYTES are strings here. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string[];

/** A named array, as engines take and give it. */
export interface NamedTensor {
  readonly name: string;
  readonly datatype: Datatype;
  /** Rows first. */
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** What a model declares of one input or output. -1 stands for any size. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** What a model takes and gives. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Whether NaN (null in JSON) is a value that the model was made for. */
  readonly missingAllowed: boolean;
}

/** Makes the array that holds a datatype's values. */
export const ARRAY_OF: Record<Datatype, (length: number) => TensorData> = {
  BOOL: (n) => new Uint8Array(n),
  UINT8: (n) => new Uint8Array(n),
  INT8: (n) => new Int8Array(n),
  INT16: (n) => new Int16Array(n),
  UINT16: (n) => new Uint16Array(n),
  INT32: (n) => new Int32Array(n),
  UINT32: (n) => new Uint32Array(n),
  INT64: (n) => new BigInt64Array(n),
  UINT64: (n) => new BigUint64Array(n),
  FP32: (n) => new Float32Array(n),
  FP64: (n) => new Float64Array(n),
  BYTES: (n) => new Array<string>(n).fill(""),
};

/** The inclusive range of an integer datatype that JSON numbers can carry exactly. */
const INTEGER_RANGE: Partial<Record<Datatype, readonly [number, number]>> = {
  BOOL: [0, 1],
  UINT8: [0, 255],
  INT8: [-128, 127],
  INT16: [-32768, 32767],
  UINT16: [0, 65535],
  INT32: [-2147483648, 2147483647],
  UINT32: [0, 4294967295],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
};

/** @returns the number of values that a shape holds */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/**
 * Turns values as JSON carries them into the array of a model's input.
 *
 * @param values one value a row, or row-major; null is a missing value
 * @param options.firstRow what the first value's row is called in errors; default 0
 * @throws {SerinError} `invalid_input` that names the input, the position and the value seen
 */
export function readValues(
  spec: TensorSpec,
  values: readonly unknown[],
  { missingAllowed, firstRow = 0 }: { missingAllowed: boolean; firstRow?: number | undefined },
): TensorData {
  if (spec.datatype === "BYTES") return readTexts(spec, values, firstRow);
  const data = ARRAY_OF[spec.datatype](values.length);
  assert(!Array.isArray(data), "only BYTES are held as an array of texts");
  const range = INTEGER_RANGE[spec.datatype];
  const big = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (let i = 0; i < values.length; i++) {
    const value = readNumber(spec, values[i], firstRow + i, range, missingAllowed);
    if (big) data[i] = BigInt(value);
    else data[i] = value;
  }
  return data;
}

function readNumber(
  spec: TensorSpec,
  value: unknown,
  at: number,
  range: readonly [number, number] | undefined,
  missingAllowed: boolean,
): number {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === null || value === undefined || Number.isNaN(value)) {
    if (range === undefined && missingAllowed) return NaN;
    throw missingValue(spec, at);
  }
  if (typeof value !== "number") throw wrongValue(spec, value, at);
  if (range === undefined) return value;
  if (!Number.isInteger(value) || value < range[0] || value > range[1]) {
    throw wrongValue(spec, value, at);
  }
  return value;
}

function readTexts(spec: TensorSpec, values: readonly unknown[], firstRow: number): string[] {
  return values.map((value, i) => {
    const at = firstRow + i;
    if (typeof value === "string") return value;
    if (value === null || value === undefined) throw missingValue(spec, at);
    throw wrongValue(spec, value, at);
  });
}

/** @returns the error for a missing value where the model takes none */
export function missingValue(spec: TensorSpec, at: number): SerinError {
  return new SerinError(
    "invalid_input",
    `Input "${spec.name}", row ${at}: a missing value (null or NaN) is not allowed`,
    {
      hint: `give a ${spec.datatype} value, or use a model that was trained with missing values`,
      details: { input: spec.name, row: at, expected: spec.datatype },
    },
  );
}

function wrongValue(spec: TensorSpec, value: unknown, at: number): SerinError {
  return new SerinError(
    "invalid_input",
    `Input "${spec.name}", row ${at}: expected ${spec.datatype}, got ${show(value)}`,
    {
      hint: `the model takes ${spec.datatype} there`,
      details: { input: spec.name, row: at, expected: spec.datatype },
    },
  );
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return `${typeof value} ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`;
}
