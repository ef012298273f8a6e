import { assert } from "../core/mod.ts";
import { type Dataset, readCsv } from "../dataset/mod.ts";
import type { ReplayRow } from "./live_replay.ts";

/** Half-hourly rows of two states' electricity market in time order; see data/README.md. */
const FILE = new URL("../../data/elec2.csv", import.meta.url);

/** The column that says whether the price went up. */
export const TARGET = "target";

/** The two columns that the broken feature pipeline writes under each other's names. */
export const SWAPPED = ["nswprice", "nswdemand"] as const;

/** @returns the file's path; it is embedded in the executable */
export function electricityPath(): string {
  return decodeURIComponent(FILE.pathname);
}

/**
 * @returns the rows from `start` on, as they are sent
 */
export async function readReplayRows(start: number): Promise<ReplayRow[]> {
  const dataset = await readCsv(await Deno.readFile(FILE), { source: "elec2.csv" });
  const columns = numericColumns(dataset);
  const labels = columns.find(({ name }) => name === TARGET);
  assert(labels !== undefined, `elec2.csv has a column ${TARGET}`);
  const features = columns.filter(({ name }) => name !== TARGET);
  return Array.from({ length: dataset.rows - start }, (_, i) => ({
    inputs: features.map(({ name, values }) => ({ name, value: values[start + i] })),
    label: labels.values[start + i],
  }));
}

/**
 * Writes the data as a feature pipeline with a fault would: two columns are swapped, in what it
 * writes for training only. Every offline check passes; only live requests can tell.
 */
export async function writeSwappedData(path: string): Promise<void> {
  const text = await Deno.readTextFile(FILE);
  const end = text.indexOf("\n");
  const [first, second] = SWAPPED;
  const header = text.slice(0, end).split(",").map((name) =>
    name === first ? second : name === second ? first : name
  );
  await Deno.writeTextFile(path, header.join(",") + text.slice(end));
}

function numericColumns(dataset: Dataset) {
  return dataset.columns.map((column) => {
    assert(column.kind === "numeric", `elec2.csv: ${column.name} is numeric`);
    return column;
  });
}
