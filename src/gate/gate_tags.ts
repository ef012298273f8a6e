import type { CheckOutcome } from "./check.ts";
import type { GateReport } from "./gate_report.ts";

/** A version's tag that says what its gate came to. */
export const GATE_TAG = "serin.gate";
/** A version's tag that holds the gate's report, as compact JSON. */
export const GATE_REPORT_TAG = "serin.gate_report";

/** Plain MLflow servers on some databases keep no more of a tag. */
const TAG_CHARACTERS_MAX = 5000;

/** A tag as MLflow has it. */
export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** The report first: who sees the outcome then also finds why. */
export function gateTags(report: GateReport): Tag[] {
  const round = (x: number | undefined) =>
    x === undefined || !Number.isFinite(x) ? undefined : Number(x.toPrecision(6));
  const checks = report.checks.map((check) => ({
    id: check.id,
    outcome: check.outcome,
    candidate: round(check.candidate?.value),
    champion: round(check.champion?.value),
    difference: check.difference === undefined
      ? undefined
      : [check.difference.value, check.difference.lower, check.difference.upper].map(round),
    limit: check.limit,
    relation: check.relation,
    rows_needed: round(check.rowsNeeded),
  }));
  const body = (kept: number) =>
    JSON.stringify({
      time: new Date(report.time).toISOString(),
      outcome: report.outcome,
      relation: report.relation,
      verdict: report.verdict.slice(0, 1000),
      forced: report.forced,
      candidate_sha256: report.candidate.sha256,
      champion: report.champion === undefined ? null : {
        uri: report.champion.uri,
        version: report.champion.version,
        sha256: report.champion.sha256,
      },
      spec: report.specDigest,
      data: { digest: report.data.digest, rows: report.data.rows },
      checks: checks.slice(0, kept),
      checks_left_out: checks.length - kept || undefined,
    });
  let kept = checks.length;
  while (kept > 0 && body(kept).length > TAG_CHARACTERS_MAX) kept--;
  return [
    { key: GATE_REPORT_TAG, value: body(kept) },
    { key: GATE_TAG, value: report.outcome },
  ];
}

/** What a version's tags say of its gate. */
export interface GateOutcome {
  /** `missing`: no gate has judged it. */
  readonly outcome: CheckOutcome | "missing";
  /** Whether it may be deployed: it passed, or a person let it through. */
  readonly isAllowed: boolean;
  /** Why a person let it through, where one did. */
  readonly forced: string | undefined;
  /** What to tell whoever wants to deploy it; starts lower case, no final period. */
  readonly sentence: string;
}

/**
 * Reads what `serin gate` wrote to a version. Tags that are not its own writing count as missing.
 *
 * @param tags of the version, as MLflow gives them
 *
 * @example A version that nobody has judged
 * ```ts
 * import { gateOutcomeOf } from "./mod.ts";
 * const { outcome, isAllowed } = gateOutcomeOf([{ key: "serin.gate", value: "passed" }]);
 * console.assert(outcome === "passed" && isAllowed);
 * console.assert(!gateOutcomeOf([]).isAllowed);
 * ```
 */
export function gateOutcomeOf(tags: readonly Tag[]): GateOutcome {
  const value = tags.find(({ key }) => key === GATE_TAG)?.value;
  const outcome = (["passed", "refused", "undecided"] as const).find((known) => known === value);
  if (outcome === undefined) {
    const sentence = "no gate has judged it: run `serin gate` on it";
    return { outcome: "missing", isAllowed: false, forced: undefined, sentence };
  }
  const { verdict, forced } = readReport(tags);
  const told = verdict ?? (outcome === "undecided" ? "its gate could not judge it" : outcome);
  if (outcome === "passed") return { outcome, isAllowed: true, forced: undefined, sentence: told };
  return forced === undefined
    ? { outcome, isAllowed: false, forced, sentence: told }
    : { outcome, isAllowed: true, forced, sentence: `${told}; let through: ${forced}` };
}

function readReport(tags: readonly Tag[]): { verdict?: string; forced?: string } {
  const text = tags.find(({ key }) => key === GATE_REPORT_TAG)?.value;
  try {
    const { verdict, forced } = JSON.parse(text ?? "{}");
    return {
      ...(typeof verdict === "string" ? { verdict } : {}),
      ...(typeof forced === "string" && forced !== "" ? { forced } : {}),
    };
  } catch {
    return {};
  }
}
