import type { DataCheck, DataCheckOutcome } from "./data_check.ts";

/** What a check of a table came to. */
export interface DataReport {
  readonly outcome: "passed" | "refused";
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly source: string;
  /** The model whose training data it was held against, if one was. */
  readonly reference: string | undefined;
  readonly rows: number;
  readonly digest: string;
  readonly target: string;
  readonly checks: readonly DataCheck[];
}

/** @returns 0 passed, 3 refused */
export function exitCodeOfData({ outcome }: Pick<DataReport, "outcome">): 0 | 3 {
  return outcome === "passed" ? 0 : 3;
}

/** @returns how many checks came to each outcome */
export function countOutcomes(
  { checks }: Pick<DataReport, "checks">,
): Record<DataCheckOutcome, number> {
  const counts = { passed: 0, warned: 0, refused: 0 };
  for (const { outcome } of checks) counts[outcome]++;
  return counts;
}

/** A report as JSON has it: snake_case, null for what is not there. */
export function dataReportJson(report: DataReport): Record<string, unknown> {
  return {
    outcome: report.outcome,
    exit_code: exitCodeOfData(report),
    time: new Date(report.time).toISOString(),
    data: { source: report.source, rows: report.rows, digest: report.digest },
    target: report.target,
    reference: report.reference ?? null,
    counts: countOutcomes(report),
    checks: report.checks.map(({ id, outcome, sentence }) => ({ id, outcome, sentence })),
  };
}
