import { SerinError } from "../core/mod.ts";

/** MLflow's limits (`utils/validation.py`); lengths are in characters. */
export const TRACKING_LIMITS = {
  keyCharactersMax: 250,
  paramValueCharactersMax: 6000,
  runTagValueCharactersMax: 8000,
  experimentNameCharactersMax: 500,
  experimentTagValueCharactersMax: 20_000,
  batchMetricsMax: 1000,
  batchParamsMax: 100,
  batchTagsMax: 100,
  batchEntitiesMax: 1000,
  searchResultsMax: 50_000,
  datasetNameCharactersMax: 500,
  datasetDigestCharactersMax: 36,
  datasetSourceCharactersMax: 65_535,
  datasetSchemaCharactersMax: 1_048_575,
  datasetProfileCharactersMax: 16_777_215,
  inputTagKeyCharactersMax: 255,
  inputTagValueCharactersMax: 500,
  /** Datasets or models of one request; serin's own. */
  runInputsMax: 1000,
} as const;

/** Refuses what a caller sent. */
export function invalid(message: string): SerinError {
  return new SerinError("invalid_input", message);
}

/** MLflow's `Invalid value … for parameter '…' supplied`. */
export function invalidValue(path: string, value: unknown, why?: string): SerinError {
  const head = `Invalid value ${JSON.stringify(value)} for parameter '${path}' supplied`;
  return invalid(why === undefined ? `${head}.` : `${head}: ${why}`);
}

/** Characters as Python counts them. */
export function characterCount(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xdc00) count--;
  }
  return count;
}

/** @throws {SerinError} `invalid_input` when the text is longer than `limit` characters */
export function checkLength(what: string, limit: number, text: string): void {
  if (text.length > limit && characterCount(text) > limit) {
    throw invalid(`'${what}' exceeds the maximum length of ${limit} characters`);
  }
}

/** MLflow's server cuts long values of params and run tags (MLFLOW_TRUNCATE_LONG_VALUES). */
export function truncate(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return Array.from(text.slice(0, 2 * limit)).slice(0, limit).join("");
}

/**
 * Checks the name of a metric, param or tag: letters, digits, `_ - . : /` and spaces, and a path that
 * resolves to itself.
 *
 * @param path where it stands in the request, e.g. "metrics[0].name"
 */
export function checkKey(key: string, path: string): void {
  if (!/^[/\p{L}\p{N}_.\- :]*\n?$/u.test(key)) {
    throw invalidValue(
      path,
      key,
      "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), " +
        "spaces ( ), colon(:) and slashes (/).",
    );
  }
  const normal = normalizePath(key);
  if (normal !== key || normal === "." || normal.startsWith("..") || normal.startsWith("/")) {
    throw invalidValue(
      path,
      key,
      "Names may be treated as files in certain cases, and must not resolve to other names when " +
        `treated as such. This name would resolve to '${normal}'`,
    );
  }
}

/** Python's `posixpath.normpath`. */
function normalizePath(path: string): string {
  const slashes = path.startsWith("//") && !path.startsWith("///")
    ? "//"
    : path.startsWith("/")
    ? "/"
    : "";
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== ".." || (slashes === "" && parts.length === 0) || parts.at(-1) === "..") {
      parts.push(part);
    } else parts.pop();
  }
  return slashes + parts.join("/") || ".";
}

/** @throws {SerinError} `invalid_input` unless the limit is of 1 to 50000 rows */
export function checkSearchLimit(limit: number): void {
  const head = `Invalid value ${limit} for parameter 'max_results' supplied.`;
  if (limit < 1) throw invalid(`${head} It must be a positive integer`);
  if (limit > TRACKING_LIMITS.searchResultsMax) {
    throw invalid(`${head} It must be at most ${TRACKING_LIMITS.searchResultsMax}`);
  }
}

/** @throws {SerinError} `invalid_input` where the id is not an integer */
export function parseExperimentId(id: string): number {
  const text = id.trim();
  if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw invalid(`Invalid experiment ID '${id}'. Experiment ID must be a valid integer.`);
}

/** A text as Python's repr writes it, for messages that clients compare. */
export function pythonRepr(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  if (text.includes("'") && !text.includes('"')) return `"${escaped}"`;
  return `'${escaped.replaceAll("'", "\\'")}'`;
}
