import { formatBytes } from "../../core/mod.ts";
import type { CheckOutcome, GateCheck } from "../check.ts";
import type { GateReport } from "../gate_report.ts";
import { msText } from "../latency_check.ts";
import { differenceText, limitNumber, numberText, rangeText, ratioText } from "../number_text.ts";
import type { SliceResult } from "../slice_check.ts";

/** The names of the columns of {@linkcode checkRows}, the interval's level included. */
export function checkHeader(alpha: number): string[] {
  const level = Number((100 * (1 - alpha)).toFixed(2));
  return ["check", "candidate", "champion", `difference (${level} %)`, "limit", "result"];
}

/** A report's checks as cells, for a table of any kind. */
export function checkRows(checks: readonly GateCheck[]): string[][] {
  return checks.map((check) => {
    const { id, limit = "", candidate, champion } = check;
    const show = valueTextOf(id);
    const of = (given: GateCheck["candidate"]) => given === undefined ? "" : show(given.value);
    return [id, of(candidate), of(champion), middle(check), limit, resultText(check)];
  });
}

/** How a check of that id writes a value of one model. */
function valueTextOf(id: string): (value: number) => string {
  if (id.startsWith("latency.")) return (ms) => `${msText(ms)} ms`;
  return id.startsWith("size.") ? formatBytes : numberText;
}

/** The difference; where there is no champion, the interval of the value. */
function middle({ id, difference, candidate }: GateCheck): string {
  if (difference !== undefined) {
    if (id === "size.ratio") return `× ${difference.value.toFixed(2)}`;
    return id === "latency.ratio" ? ratioText(difference) : differenceText(difference);
  }
  if (candidate === undefined || !("lower" in candidate)) return "";
  return id.startsWith("latency.")
    ? `${msText(candidate.lower)} to ${msText(candidate.upper)}`
    : rangeText(candidate);
}

/** A sign before the word, for those who see no colours. */
export const OUTCOME_SIGN: Readonly<Record<CheckOutcome, string>> = {
  passed: "✓",
  refused: "✗",
  undecided: "?",
};

function resultText({ outcome, relation }: GateCheck): string {
  const word = relation === undefined || relation === "too few rows to tell"
    ? outcome === "undecided" ? "too few rows" : outcome
    : outcome === "passed"
    ? relation
    : `${outcome}: ${relation}`;
  return `${OUTCOME_SIGN[outcome]} ${word}`;
}

/** The names of the columns of {@linkcode sliceRows}. */
export const SLICE_HEADER = ["slice", "rows", "metric", "difference (all slices at once)", "says"];

/** Slices as cells, the most evidence of harm first. */
export function sliceRows(results: readonly SliceResult[]): string[][] {
  return results.map(({ column, value, rows, metric, difference, margin, relation }) => [
    `${column} ${value}`,
    String(rows),
    metric,
    differenceText(difference),
    relation === "not known" ? `not known to within ${limitNumber(margin)}` : relation,
  ]);
}

/** Who was judged by what, as name and text. */
export function headRows(report: GateReport): [string, string][] {
  const model = ({ uri, version, sha256, bytes }: GateReport["candidate"]) =>
    `${uri}${
      version === undefined || uri.endsWith(`/${version}`) ? "" : ` (version ${version})`
    }, ` +
    `${formatBytes(bytes)}, sha256 ${sha256.slice(0, 12)}`;
  const { source, rows, target, classes } = report.data;
  const split = classes === undefined
    ? ""
    : `, ${
      classes.map(({ name, rows }) => `${rows.toLocaleString("en")} of class ${name}`).join(" and ")
    }`;
  return [
    ["candidate", model(report.candidate)],
    ["champion", report.champion === undefined ? "none: limits alone" : model(report.champion)],
    ["data", `${source}, ${rows.toLocaleString("en")} rows${split}; target ${target}`],
  ];
}

/** What kept the candidate from passing, one sentence a check. */
export function reasonRows({ checks }: GateReport): string[] {
  return checks.filter(({ outcome }) => outcome !== "passed")
    .map(({ id, outcome, sentence }) => `${OUTCOME_SIGN[outcome]} ${id}: ${sentence}`);
}
