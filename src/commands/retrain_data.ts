import { messageOf, SerinError, storageError, writeFileAtomic } from "../core/mod.ts";
import { getColumn } from "../dataset/mod.ts";
import { exportPredictions, PredictionReader } from "../monitor/prediction_log/mod.ts";
import type { CollectedData, DataCollector, ModelRetraining } from "../retrain/mod.ts";
import { readTable } from "./data_source.ts";
import { labelTest, type ModelTraining } from "./model_training.ts";

const DAY_MS = 86_400_000;

/** What an {@linkcode openDataCollector} stands on. */
export interface CollectorOptions {
  readonly now: () => number;
  /** @returns what the champion was trained for; undefined where it does not say */
  readonly trainingOf: (spec: ModelRetraining) => Promise<ModelTraining | undefined>;
}

/**
 * Gathers rows of CSV files, or of prediction logs. Of a log, rows are left out whose label the champion
 * could not have learned from: anyone who may send labels may send such, and one would end every training.
 */
export function openDataCollector({ now, trainingOf }: CollectorOptions): DataCollector {
  return {
    async collect(spec, path) {
      if (spec.data.csv !== undefined) return await fromFiles(spec, path);
      return await fromLogs(spec, path, { now: now(), training: await trainingOf(spec) });
    },
  };
}

async function fromLogs(
  { model, data }: ModelRetraining,
  path: string,
  { now, training }: { now: number; training: ModelTraining | undefined },
): Promise<CollectedData> {
  const { prediction_log: folders = [], target, since_days: days, rows_max: newestRows } = data;
  using reader = PredictionReader.open(folders);
  const sinceMs = days === undefined ? undefined : now - days * DAY_MS;
  const accepts = training && labelTest(training);
  const { rows, leftOut } = await exportPredictions(reader, {
    ...{ model, path, target, sinceMs, newestRows, labelled: true, accepts },
  });
  const within = days === undefined ? "" : ` of ${days} days`;
  const classes = training?.classes?.join(" and ");
  const without = leftOut === 0
    ? ""
    : `; ${leftOut} rows left out, whose label is ${classes ? `none of ${classes}` : "no number"}`;
  return { path, rows, source: `prediction log ${folders.join(", ")}${within}${without}` };
}

async function fromFiles({ data }: ModelRetraining, path: string): Promise<CollectedData> {
  const { csv: patterns = [], target } = data;
  const files = (await Promise.all(patterns.map(expand))).flat();
  let header: string | undefined;
  const parts: string[] = [];
  for (const file of files) {
    const text = (await read(file)).replace(/^\uFEFF/, "");
    const end = text.indexOf("\n");
    const own = (end < 0 ? text : text.slice(0, end)).trimEnd();
    header ??= own;
    if (own !== header) {
      throw new SerinError("invalid_data", `${file} has other columns than ${files[0]}`, {
        hint: "give files of one header line each, in the same order",
        details: { expected: header, seen: own },
      });
    }
    const body = end < 0 ? "" : text.slice(end + 1).trimEnd();
    if (body !== "") parts.push(body);
  }
  await writeFileAtomic(path, `${[header, ...parts].join("\n")}\n`);
  const table = await readTable("data.csv", path);
  const column = getColumn(table, target);
  const missing = column.kind === "numeric"
    ? column.values.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0)
    : column.codes.reduce((count, code) => count + (code < 0 ? 1 : 0), 0);
  if (missing > 0) {
    throw new SerinError("invalid_data", `${missing} rows have no label in column "${target}"`, {
      hint: "export with --labelled, or leave those rows out",
    });
  }
  return { path, rows: table.rows, source: files.join(", ") };
}

/** `*` and `?` in a file's name; the files come in the order of their names. */
async function expand(pattern: string): Promise<string[]> {
  const slash = pattern.lastIndexOf("/");
  const folder = slash < 0 ? "." : pattern.slice(0, slash + 1), name = pattern.slice(slash + 1);
  if (!/[*?]/.test(name)) return [pattern];
  const parts = name.split(/([*?])/).map((part) =>
    part === "*" ? "[^/]*" : part === "?" ? "[^/]" : part.replace(/[.+^${}()|[\]\\]/g, "\\$&")
  );
  const matching = new RegExp(`^${parts.join("")}$`);
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.isFile && matching.test(entry.name)) {
        found.push(slash < 0 ? entry.name : `${folder}${entry.name}`);
      }
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) {
      throw storageError(`Cannot read ${folder}`, cause);
    }
  }
  if (found.length > 0) return found.toSorted();
  throw new SerinError("not_found", `No file is named as ${pattern} says`, {
    hint: "check data.csv of retrain.yaml; it is read from the current folder",
  });
}

async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    const why = missing ? "there is no such file" : messageOf(cause);
    throw new SerinError(missing ? "not_found" : "storage", `Cannot read ${path}: ${why}`, {
      cause,
    });
  }
}
