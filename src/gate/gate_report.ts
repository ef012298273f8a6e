import type { CheckOutcome, GateCheck, Relation } from "./check.ts";
import type { SliceReport } from "./slice_check.ts";

/** A model as a report names it. */
export interface ReportedModel {
  readonly uri: string;
  readonly version: string | undefined;
  readonly sha256: string;
  readonly bytes: number;
}

/** What a gate came to. */
export interface GateReport {
  readonly outcome: CheckOutcome;
  /** One sentence: the outcome and why. */
  readonly verdict: string;
  /** Candidate to champion over all compared metrics; undefined without a champion. */
  readonly relation: Relation | undefined;
  /** Why a person lets it through all the same. */
  readonly forced: string | undefined;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly candidate: ReportedModel;
  readonly champion: ReportedModel | undefined;
  readonly data: {
    readonly source: string;
    readonly rows: number;
    readonly digest: string;
    readonly target: string;
    /** Negative and positive class with their rows; undefined for a regression. */
    readonly classes: readonly { readonly name: string; readonly rows: number }[] | undefined;
  };
  /** Digest of gate.yaml with its defaults. */
  readonly specDigest: string;
  readonly alpha: number;
  readonly checks: readonly GateCheck[];
  readonly slices: Omit<SliceReport, "checks"> | undefined;
  readonly warnings: readonly string[];
}

/** @returns 0 passed (or forced), 3 refused, 1 could not be judged */
export function exitCodeOf({ outcome, forced }: Pick<GateReport, "outcome" | "forced">): 0 | 1 | 3 {
  if (outcome === "passed" || forced !== undefined) return 0;
  return outcome === "refused" ? 3 : 1;
}

/** A report as JSON has it: snake_case, whole numbers of rows, null for what is not there. */
export function reportJson(report: GateReport): Record<string, unknown> {
  return snakeCase({
    ...report,
    time: new Date(report.time).toISOString(),
    exitCode: exitCodeOf(report),
  }) as Record<string, unknown>;
}

/** JSON has no NaN or infinity: null; an undefined value says null too, so that keys are there. */
function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeCase(part),
    ]),
  );
}
