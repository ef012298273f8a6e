import type { Estimate } from "../statistics/mod.ts";

/** What a check came to; `undecided`: the data do not tell. */
export type CheckOutcome = "passed" | "refused" | "undecided";

/** How the candidate stands to the champion. */
export type Relation = "better" | "not worse" | "worse" | "too few rows to tell";

/** One thing that was checked, in numbers and in a sentence. */
export interface GateCheck {
  /** Unique in a report, e.g. `relative.log_loss`. */
  readonly id: string;
  readonly outcome: CheckOutcome;
  /** What it says, with the numbers; starts lower case, no final period. */
  readonly sentence: string;
  readonly candidate?: Estimate | { readonly value: number };
  readonly champion?: Estimate | { readonly value: number };
  /** Candidate less champion (latency and size: candidate by champion). */
  readonly difference?: Estimate;
  /** What is asked for, e.g. `≥ 0.8`. */
  readonly limit?: string;
  readonly relation?: Relation;
  /** Two-sided p-value of no difference, and what Holm's correction makes of it. */
  readonly p?: number;
  readonly pAdjusted?: number;
  /** About how many rows would tell; undefined where no number would, or none is needed. */
  readonly rowsNeeded?: number | undefined;
}

/** @returns refused where any check is, else undecided where any is, else passed */
export function overallOutcome(
  checks: readonly { readonly outcome: CheckOutcome }[],
): CheckOutcome {
  if (checks.some(({ outcome }) => outcome === "refused")) return "refused";
  return checks.some(({ outcome }) => outcome === "undecided") ? "undecided" : "passed";
}
