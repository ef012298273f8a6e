import { z } from "zod";
import { SerinError } from "../core/mod.ts";

/** How one column, or the predictions, were distributed when the model was made. */
export interface ColumnReference {
  readonly name: string;
  readonly rows: number;
  /** Share of rows without a value. */
  readonly nullRatio: number;
  /** Bin i holds edges[i] < x <= edges[i + 1], the first one its lower bound as well; ascending. */
  readonly edges: readonly number[];
  /** Rows of each bin. */
  readonly counts: readonly number[];
  /** Whether every bin is one value, its upper bound. */
  readonly discrete: boolean;
}

/** What `profile.json` of a model's folder says. Plain data: it is posted to data isolates. */
export interface ModelProfile {
  readonly columns: readonly ColumnReference[];
  /** Predictions on rows that were not trained on: probabilities, or predicted numbers. */
  readonly prediction: ColumnReference | undefined;
  /** Columns beyond {@linkcode WATCHED_COLUMNS_MAX}, which are not watched. */
  readonly leftOut: number;
}

/** Columns of a model that are watched, the first ones: each is several series on `/metrics`. */
export const WATCHED_COLUMNS_MAX = 256;
/** Bins of a column that are taken; `serin train` writes 20 at most. */
const BINS_MAX = 256;
/** Columns that a profile may have at all. */
const COLUMNS_MAX = 10_001;

/** The name under which a profile's last entry describes the predictions. */
const PREDICTION = "prediction";

const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

// Not strict: a newer serin may tell more.
const columnSchema = z.object({
  name: z.string(),
  rows: count,
  missing_rate: z.number().min(0).max(1),
  edges: z.array(z.number()).max(BINS_MAX + 1),
  counts: z.array(count).max(BINS_MAX),
  // Folders of before this was told have quantiles only.
  discrete: z.boolean().default(false),
}).refine(({ edges }) => edges.every((edge, i) => i === 0 || edge >= edges[i - 1]), {
  message: "edges do not ascend",
}).refine(({ edges, counts }) => counts.length === Math.max(edges.length - 1, 0), {
  message: "there is one edge more than counts",
});

const profileSchema = z.object({ columns: z.array(columnSchema).max(COLUMNS_MAX) });

/**
 * Reads the `profile.json` that `serin train` writes beside a model.
 *
 * @throws {SerinError} `invalid_data` for bytes that are none
 *
 * @example A profile of one column
 * ```ts
 * import { parseModelProfile } from "./mod.ts";
 * const text = JSON.stringify({ columns: [
 *   { name: "age", rows: 4, missing_rate: 0.25, edges: [20, 30, 60], counts: [1, 2] },
 * ] });
 * const { columns, prediction } = parseModelProfile(new TextEncoder().encode(text));
 * console.assert(columns[0].name === "age" && prediction === undefined);
 * ```
 */
export function parseModelProfile(bytes: Uint8Array): ModelProfile {
  const { columns } = readJson(bytes);
  const references = columns.map(({ missing_rate, ...column }): ColumnReference => ({
    name: column.name,
    rows: column.rows,
    nullRatio: missing_rate,
    edges: column.edges,
    counts: column.counts,
    discrete: column.discrete,
  }));
  const isPredicted = references.at(-1)?.name === PREDICTION;
  const prediction = isPredicted ? references.pop() : undefined;
  const leftOut = Math.max(0, references.length - WATCHED_COLUMNS_MAX);
  return { columns: references.slice(0, WATCHED_COLUMNS_MAX), prediction, leftOut };
}

function readJson(bytes: Uint8Array): z.infer<typeof profileSchema> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw notOne("it is no JSON", cause);
  }
  const parsed = profileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw notOne(`${path.join(".") || "the whole"}: ${message}`);
}

function notOne(why: string, cause?: unknown): SerinError {
  return new SerinError("invalid_data", `profile.json is no profile of a model: ${why}`, {
    hint: "train the model again with `serin train`, which writes it",
    cause,
  });
}
