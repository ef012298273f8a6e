import { assert, didYouMean, LIMITS, SerinError } from "../core/mod.ts";
import {
  ARRAY_OF,
  type Datatype,
  type NamedTensor,
  readValues,
  type Signature,
  sizeOf,
  type TensorSpec,
} from "./tensor.ts";

/** An input as a request gives it, before it is held against the model's signature. */
export interface GivenInput {
  readonly name: string;
  /** What the request says it is; undefined where its format has no types (CSV, records). */
  readonly datatype: Datatype | undefined;
  readonly shape: readonly number[];
  /** Where the first row stands in what the caller has; default 0. */
  readonly firstRow?: number;
  /** As JSON gives it, flat. */
  readonly values: readonly unknown[];
}

/** What a request asks to be run: tensors that fit the model, and how many rows they have. */
export interface Feeds {
  readonly rows: number;
  readonly tensors: readonly NamedTensor[];
}

/**
 * Holds a request's inputs against a model's signature and turns them into what the engine takes.
 * A number fits a wider type (INT → FP, FP64 → FP32 rounded); a text never becomes a number.
 *
 * @throws {SerinError} `invalid_input` that names every missing or unknown input, or the first value
 *   that does not fit
 */
export function toFeeds(signature: Signature, given: readonly GivenInput[]): Feeds {
  const byName = new Map(given.map((input) => [input.name, input]));
  checkNames(signature, given, byName);
  const rows = rowsOf(given);
  const tensors = signature.inputs.map((spec) => {
    const input = byName.get(spec.name);
    assert(input !== undefined, "names were checked");
    return toTensor(spec, input, rows, signature.missingAllowed);
  });
  return { rows, tensors };
}

/** Feeds of one row whose values are all 0 or "", to warm a model that has seen no request yet. */
export function zeroFeeds(signature: Signature): Feeds {
  const tensors = signature.inputs.map((spec) => {
    const shape = spec.shape.map((size) => size < 0 ? 1 : size);
    return { ...spec, shape, data: ARRAY_OF[spec.datatype](sizeOf(shape)) };
  });
  return { rows: 1, tensors };
}

/** What a model is warmed on: those recent requests that it takes, or else {@linkcode zeroFeeds}. */
export function warmingFeeds(signature: Signature, recent: readonly Feeds[]): readonly Feeds[] {
  const takes = ({ tensors }: Feeds) =>
    tensors.length === signature.inputs.length &&
    signature.inputs.every(({ name, datatype }) =>
      tensors.some((tensor) => tensor.name === name && tensor.datatype === datatype)
    );
  const fitting = recent.filter(takes);
  return fitting.length > 0 ? fitting : [zeroFeeds(signature)];
}

function checkNames(
  signature: Signature,
  given: readonly GivenInput[],
  byName: ReadonlyMap<string, GivenInput>,
): void {
  const known = new Set(signature.inputs.map((spec) => spec.name));
  const problems: string[] = [];
  for (const { name } of signature.inputs) {
    if (!byName.has(name)) problems.push(`column "${name}" is missing`);
  }
  const missing = signature.inputs.map((spec) => spec.name).filter((name) => !byName.has(name));
  for (const { name } of given) {
    if (known.has(name)) continue;
    const hint = didYouMean(name, missing);
    problems.push(`column "${name}" is unknown${hint === undefined ? "" : ` (${hint})`}`);
  }
  if (byName.size !== given.length) problems.push("a column is given twice");
  if (problems.length === 0) return;
  throw new SerinError(
    "invalid_input",
    `The request does not fit the model: ${problems.join("; ")}`,
    {
      hint: `the model takes ${
        signature.inputs.map((s) => `${s.name} (${s.datatype})`).join(", ")
      }`,
      details: { missing },
    },
  );
}

function rowsOf(given: readonly GivenInput[]): number {
  const rows = given[0]?.shape[0] ?? 0;
  for (const { name, shape } of given) {
    if (shape[0] !== rows) {
      throw new SerinError(
        "invalid_input",
        `Input "${name}" has ${shape[0] ?? 0} rows, input "${given[0].name}" has ${rows}`,
        { hint: "every input has one value a row" },
      );
    }
  }
  if (rows === 0) {
    throw new SerinError("invalid_input", "The request has no rows", { hint: "send at least one" });
  }
  if (rows > LIMITS.inferenceRowsMax) {
    throw new SerinError(
      "too_large",
      `The request has ${rows} rows, at most ${LIMITS.inferenceRowsMax} are taken`,
      { hint: "send them in several requests" },
    );
  }
  return rows;
}

function toTensor(
  spec: TensorSpec,
  input: GivenInput,
  rows: number,
  missingAllowed: boolean,
): NamedTensor {
  checkDatatype(spec, input);
  const shape = spec.shape.length === 0 ? [rows] : spec.shape.map((size, axis) => {
    if (axis === 0) return size < 0 ? rows : size;
    return size < 0 ? input.shape[axis] ?? 1 : size;
  });
  const size = sizeOf(shape);
  if (size !== input.values.length || shape[0] !== rows) {
    throw new SerinError(
      "invalid_input",
      `Input "${spec.name}" has the shape [${input.shape}] and ${input.values.length} values, ` +
        `the model takes [${spec.shape.map((s) => s < 0 ? "rows" : s)}] (${size} values here)`,
      { hint: "the first dimension is that of the rows" },
    );
  }
  const { firstRow } = input;
  const data = readValues(spec, input.values, { missingAllowed, firstRow });
  return { name: spec.name, datatype: spec.datatype, shape, data };
}

const isText = (datatype: Datatype) => datatype === "BYTES";
const isFloat = (datatype: Datatype) => datatype === "FP32" || datatype === "FP64";

function checkDatatype(spec: TensorSpec, input: GivenInput): void {
  const got = input.datatype;
  if (got === undefined) return;
  const fits = isText(got) === isText(spec.datatype) &&
    (isFloat(spec.datatype) || isText(spec.datatype) || !isFloat(got));
  if (fits) return;
  throw new SerinError(
    "invalid_input",
    `Input "${spec.name}": expected the datatype ${spec.datatype}, got ${got}`,
    {
      hint: `send it as ${spec.datatype}`,
      details: { input: spec.name, expected: spec.datatype, got },
    },
  );
}
