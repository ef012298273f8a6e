import type { CheckOutcome, GateCheck } from "./check.ts";
import { rowsText } from "./number_text.ts";

/** Checks that the one sentence names; all of them are in the report. */
const NAMED_MAX = 4;

/** One sentence: what it came to, and which checks it hangs on. */
export function verdictOf(
  { outcome, checks, rows, source }: {
    outcome: CheckOutcome;
    checks: readonly GateCheck[];
    rows: number;
    source: string;
  },
): string {
  const guilty = checks.filter((check) => check.outcome === outcome);
  if (outcome === "refused") return `refused by ${named(guilty)}`;
  if (outcome === "undecided") {
    const byRows = guilty.filter(({ id }) => !id.startsWith("latency."));
    if (byRows.length === 0) return `could not be judged: ${named(guilty)} wants more rounds`;
    const needed = Math.max(...byRows.map(({ rowsNeeded }) => rowsNeeded ?? 0));
    const need = needed > 0 ? `, it would take about ${rowsText(needed)}` : "";
    const has = `${source} has ${rows.toLocaleString("en")} rows`;
    return `test set too small to tell: ${has}${need} (${named(byRows)})`;
  }
  const better = checks.filter(({ relation }) => relation === "better")
    .map(({ id }) => id.replace("relative.", ""));
  const count = `passed: ${checks.length} check${checks.length === 1 ? "" : "s"}`;
  if (!checks.some(({ relation }) => relation !== undefined)) return count;
  return better.length === 0
    ? `${count}; not worse than the champion by more than the margins`
    : `${count}; better than the champion in ${listed(better)}, ` +
      "worse in nothing by more than the margins";
}

/** "a", "a and b", "a, b and c" */
function listed(names: readonly string[]): string {
  return names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

function named(checks: readonly GateCheck[]): string {
  const ids = checks.slice(0, NAMED_MAX).map(({ id }) => id).join(", ");
  const more = checks.length - NAMED_MAX;
  return more > 0 ? `${ids} and ${more} more` : ids;
}
