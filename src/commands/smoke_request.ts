import { z } from "zod";
import { SerinError } from "../core/mod.ts";

const tensorSchema = z.object({
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.number()),
});

/** What `GET /v2/models/NAME` says of a model. */
export const metadataSchema = z.object({
  name: z.string(),
  versions: z.array(z.string()).default([]),
  inputs: z.array(tensorSchema),
  outputs: z.array(tensorSchema),
});

/** A model's metadata. */
export type Metadata = z.output<typeof metadataSchema>;
type Tensor = z.output<typeof tensorSchema>;
type Cell = number | string | boolean | null;

/** A request of the Open Inference Protocol. */
export interface SmokeRequest {
  readonly inputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly data: readonly unknown[];
  }[];
}

const cell = z.union([z.number(), z.string(), z.boolean(), z.null()]);
const split = z.object({ columns: z.array(z.string()), data: z.array(z.array(cell)).min(1) });
const records = z.array(z.record(z.string(), cell)).min(1);
const oip = z.object({
  inputs: z.array(tensorSchema.extend({ data: z.array(z.unknown()) })).min(1),
});

/**
 * Reads an example request and turns it into one of the protocol for this model.
 *
 * @param text JSON: `{dataframe_split}`, `{dataframe_records}` or the protocol's `{inputs}`
 * @throws {SerinError} `invalid_data` for anything else, or an example without a column of the model
 */
export function readExample(text: string, source: string, { inputs }: Metadata): SmokeRequest {
  const value = parseJson(text, source);
  const given = oip.safeParse(value);
  if (given.success) return given.data;
  const table = z.object({ dataframe_split: split }).safeParse(value);
  if (table.success) {
    const { columns, data } = table.data.dataframe_split;
    return ofColumns(inputs, source, (name) => {
      const at = columns.indexOf(name);
      return at < 0 ? undefined : data.map((row) => row[at] ?? null);
    });
  }
  const rows = z.object({ dataframe_records: records }).safeParse(value);
  if (rows.success) {
    return ofColumns(inputs, source, (name) => {
      const all = rows.data.dataframe_records;
      return all.some((row) => name in row) ? all.map((row) => row[name] ?? null) : undefined;
    });
  }
  throw new SerinError("invalid_data", `${source} is no example request`, {
    hint:
      "it is a model folder's serving_input_example.json, or {dataframe_records: …}, or {inputs: …}",
  });
}

/** A row of zeros, which every model has to answer somehow. */
export function zeroRow({ inputs }: Metadata): SmokeRequest {
  return {
    inputs: inputs.map(({ name, datatype, shape }) => {
      const own = shape.map((size) => Math.max(size, 1));
      const count = own.reduce((product, size) => product * size, 1);
      const zero = datatype === "BYTES" ? "" : datatype === "BOOL" ? false : 0;
      return { name, datatype, shape: own, data: new Array(count).fill(zero) };
    }),
  };
}

function ofColumns(
  inputs: readonly Tensor[],
  source: string,
  columnOf: (name: string) => readonly Cell[] | undefined,
): SmokeRequest {
  const missing = inputs.map(({ name }) => name).filter((name) => columnOf(name) === undefined);
  if (missing.length > 0) {
    throw new SerinError(
      "invalid_data",
      `${source} lacks columns that the model takes: ${missing.join(", ")}`,
      { hint: "take the example of this version's folder" },
    );
  }
  return {
    inputs: inputs.map(({ name, datatype, shape }) => {
      const data = columnOf(name)!;
      const rest = shape.slice(1).map((size) => Math.max(size, 1));
      return { name, datatype, shape: [data.length, ...rest], data };
    }),
  };
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SerinError("invalid_data", `${source} is not JSON`, {
      hint: "it is a request, e.g. a model folder's serving_input_example.json",
      cause,
    });
  }
}
