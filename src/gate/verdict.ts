import type { CheckOutcome, GateCheck } from "./check.ts";
import { rowsText } from "./number_text.ts";

/** Reasons that the one sentence names; all of them are in the checks. */
const REASONS_MAX = 3;

/** One sentence: what it came to, and why. */
export function verdictOf(
  { outcome, checks, rows, source }: {
    outcome: CheckOutcome;
    checks: readonly GateCheck[];
    rows: number;
    source: string;
  },
): string {
  const guilty = checks.filter((check) => check.outcome === outcome);
  const reasons = guilty.slice(0, REASONS_MAX).map(({ sentence }) => sentence).join("; ");
  const more = guilty.length > REASONS_MAX ? `; and ${guilty.length - REASONS_MAX} more` : "";
  if (outcome === "refused") return `refused: ${reasons}${more}`;
  if (outcome === "undecided") {
    const byRows = guilty.filter(({ id }) => !id.startsWith("latency."));
    if (byRows.length === 0) return `could not be judged: ${reasons}`;
    const needed = Math.max(...byRows.map(({ rowsNeeded }) => rowsNeeded ?? 0));
    const need = needed > 0 ? `, it would take about ${rowsText(needed)}` : "";
    return `test set too small to tell: ${source} has ${rows.toLocaleString("en")} rows${need} ` +
      `(${byRows.map(({ id }) => id).join(", ")})`;
  }
  const better = checks.filter(({ relation }) => relation === "better").map(({ id }) =>
    id.replace("relative.", "")
  );
  const compared = checks.some(({ relation }) => relation !== undefined);
  const count = `${checks.length} check${checks.length === 1 ? "" : "s"} passed`;
  if (!compared) return `passed: ${count}`;
  const relation = better.length === 0
    ? "not worse than the champion by more than the margins"
    : `better than the champion in ${better.join(" and ")}, worse in nothing beyond the margins`;
  return `passed: ${count}; ${relation}`;
}
