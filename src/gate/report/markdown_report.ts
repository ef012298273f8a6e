import type { GateReport } from "../gate_report.ts";
import {
  checkHeader,
  checkRows,
  headRows,
  reasonRows,
  SLICE_HEADER,
  sliceRows,
} from "./report_rows.ts";

const TITLE = {
  passed: "✅ serin gate: passed",
  refused: "❌ serin gate: refused",
  undecided: "❔ serin gate: could not be judged",
} as const;

/** Slices that a comment shows; all are in the JSON. */
const SLICES_MAX = 12;

/** A report for a pull request's comment (GitHub's Markdown). */
export function markdownReport(report: GateReport): string {
  const parts = [
    `### ${TITLE[report.outcome]}`,
    escape(report.verdict),
    ...(report.forced === undefined
      ? []
      : [`**Let through by a person:** ${escape(report.forced)}`]),
    headRows(report).map(([name, text]) => `- **${name}** ${escape(text)}`).join("\n"),
    table(checkHeader(report.alpha), checkRows(report.checks)),
  ];
  const reasons = reasonRows(report);
  if (reasons.length > 0) parts.push(reasons.map((text) => `- ${escape(text)}`).join("\n"));
  if (report.slices !== undefined && report.slices.results.length > 0) {
    const { results, skipped } = report.slices;
    const rows = sliceRows(results.slice(0, SLICES_MAX));
    const small = skipped.length === 0 ? "" : `, ${skipped.length} too small to judge`;
    const summary = `${results.length} slice results${small}, the most evidence of harm first`;
    parts.push(
      `<details><summary>${summary}</summary>\n\n${table(SLICE_HEADER, rows)}\n\n</details>`,
    );
  }
  if (report.warnings.length > 0) {
    parts.push(report.warnings.map((text) => `> ⚠️ ${escape(text)}`).join("\n>\n"));
  }
  return `${parts.join("\n\n")}\n`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escape).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Names come from files: none of them may become markup, a link or a mention. */
function escape(text: string): string {
  return text
    .replace(/[\\`*_|\[\]#~]/g, (character) => `\\${character}`)
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("@", "@&#8203;")
    .replace(/\s*\n\s*/g, " ");
}
