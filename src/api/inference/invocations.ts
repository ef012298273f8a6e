import { SerinError } from "../../core/mod.ts";
import type { GivenInput, NamedTensor } from "../../inference/mod.ts";
import { parseJson } from "../body.ts";
import type { InferenceAnswer } from "./data_plane.ts";
import { toJson } from "./oip.ts";

/** MLflow's scoring protocol: `POST /invocations` as `mlflow models serve` and SageMaker have it. */

/** The four forms of a JSON body; exactly one must be there. */
const FORMS = ["dataframe_split", "dataframe_records", "instances", "inputs"] as const;

/** A parsed body. */
export interface Invocation {
  readonly inputs: GivenInput[];
  /** Rows as records (tables) or one array an output (tensors). */
  readonly answerAs: "records" | "columns";
}

/**
 * @param contentType the request's; JSON and CSV are taken
 * @throws {SerinError} `unsupported_media_type` or `invalid_input`
 */
export function parseInvocation(contentType: string, body: Uint8Array): Invocation {
  const type = contentType.split(";")[0].trim().toLowerCase();
  if (type === "text/csv") return { inputs: parseCsv(body), answerAs: "records" };
  if (type !== "application/json" && type !== "") {
    throw new SerinError("unsupported_media_type", `The content type "${type}" is not taken`, {
      hint: "send application/json or text/csv",
    });
  }
  const document = parseJson(body);
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw wrongForm(`the body is ${Array.isArray(document) ? "an array" : typeof document}`);
  }
  const present = FORMS.filter((form) => form in document);
  if (present.length !== 1) {
    throw wrongForm(present.length === 0 ? "none is there" : `there are ${present.join(" and ")}`);
  }
  const value = (document as Record<string, unknown>)[present[0]];
  switch (present[0]) {
    case "dataframe_split":
      return { inputs: fromSplit(value), answerAs: "records" };
    case "dataframe_records":
      return { inputs: fromRecords(value, "dataframe_records"), answerAs: "records" };
    case "instances":
      return { inputs: fromRecords(value, "instances"), answerAs: "columns" };
    case "inputs":
      return { inputs: fromColumns(value), answerAs: "columns" };
  }
}

/** @returns `{"predictions": …}`, records with a key an output, or one array an output */
export function formatInvocation(answer: InferenceAnswer, form: Invocation["answerAs"]) {
  const columns = answer.outputs.map((output) => ({
    name: output.name,
    values: splitRows(output, answer.rows),
  }));
  if (form === "columns") {
    return { predictions: Object.fromEntries(columns.map(({ name, values }) => [name, values])) };
  }
  const predictions = Array.from(
    { length: answer.rows },
    (_, row) => Object.fromEntries(columns.map(({ name, values }) => [name, values[row]])),
  );
  return { predictions };
}

function splitRows(output: NamedTensor, rows: number): unknown[] {
  const flat = toJson(output.data);
  const width = flat.length / rows;
  if (width === 1) return flat;
  return Array.from({ length: rows }, (_, row) => flat.slice(row * width, (row + 1) * width));
}

function fromSplit(value: unknown): GivenInput[] {
  const { columns, data } = (value ?? {}) as { columns?: unknown; data?: unknown };
  if (!Array.isArray(columns) || !columns.every((name) => typeof name === "string")) {
    throw wrongForm('dataframe_split needs "columns", an array of names');
  }
  if (!Array.isArray(data)) throw wrongForm('dataframe_split needs "data", an array of rows');
  const lists = columns.map(() => new Array<unknown>(data.length));
  data.forEach((row, at) => {
    if (!Array.isArray(row) || row.length !== columns.length) {
      const seen = Array.isArray(row) ? `${row.length} values` : typeof row;
      throw wrongForm(`row ${at} of dataframe_split has ${seen} for ${columns.length} columns`);
    }
    row.forEach((cell, column) => lists[column][at] = cell);
  });
  return columns.map((name, i) => column(name, lists[i]));
}

function fromRecords(value: unknown, form: string): GivenInput[] {
  if (!Array.isArray(value)) throw wrongForm(`${form} is an array of objects`);
  const names = new Set<string>();
  value.forEach((record, at) => {
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      throw wrongForm(`row ${at} of ${form} is no object with a key a column`);
    }
    for (const name of Object.keys(record)) names.add(name);
  });
  return [...names].map((name) =>
    column(name, value.map((record) => (record as Record<string, unknown>)[name] ?? null))
  );
}

function fromColumns(value: unknown): GivenInput[] {
  if (Array.isArray(value)) return fromRecords(value, "inputs");
  if (typeof value !== "object" || value === null) {
    throw wrongForm("inputs is an object with an array a column");
  }
  return Object.entries(value).map(([name, values]) =>
    column(name, Array.isArray(values) ? values : [values])
  );
}

function column(name: string, values: readonly unknown[]): GivenInput {
  const nested = values.find(Array.isArray) as unknown[] | undefined;
  if (nested === undefined) return { name, datatype: undefined, shape: [values.length], values };
  return {
    name,
    datatype: undefined,
    shape: [values.length, nested.length],
    values: values.flat(),
  };
}

/** Plain CSV with a header, numbers and texts; quoted fields may hold commas and quotes. */
function parseCsv(body: Uint8Array): GivenInput[] {
  const text = new TextDecoder().decode(body);
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  if (lines.length < 2) throw wrongForm("the CSV has a header and at least one row");
  const rows = lines.map(splitCsvLine);
  const [header] = rows;
  return header.map((name, i) => {
    const values = rows.slice(1).map((cells, at) => {
      if (cells.length !== header.length) {
        throw wrongForm(
          `line ${at + 2} of the CSV has ${cells.length} cells, not ${header.length}`,
        );
      }
      return readCell(cells[i]);
    });
    return column(name, values);
  });
}

function splitCsvLine(line: string): string[] {
  const cells = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? [];
  // The pattern also matches the empty end of the line, once, after a cell without a comma.
  if (cells.at(-1) === "" && !line.endsWith(",")) cells.pop();
  return cells.map((cell) => {
    const bare = cell.replace(/,$/, "");
    return bare.startsWith('"') ? bare.slice(1, -1).replaceAll('""', '"') : bare;
  });
}

function readCell(cell: string): unknown {
  if (cell === "" || cell === "NaN" || cell === "NA") return null;
  const number = Number(cell);
  return Number.isNaN(number) ? cell : number;
}

function wrongForm(seen: string): SerinError {
  return new SerinError("invalid_input", `No scoring request: ${seen}`, {
    hint: `send exactly one of ${FORMS.join(", ")}`,
  });
}
