import type { CheckOutcome } from "./check.ts";
import type { GateReport } from "./gate_report.ts";

/** A version's tag that says what its gate came to. */
export const GATE_TAG = "serin.gate";
/** A version's tag that holds the gate's report, as compact JSON. */
export const GATE_REPORT_TAG = "serin.gate_report";

/** A version's tag in which a person let it through, with the reason; the gate's outcome stays. */
export const GATE_FORCE_TAG = "serin.gate_force";
/** A registered model's tag: `required` refuses versions that no gate has judged, too. */
export const GATE_POLICY_TAG = "serin.gate_policy";

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
  const outcome = (["passed", "refused", "undecided"] as const).find((known) => known === value) ??
    "missing";
  const report = readReport(tags);
  const forced = tags.find(({ key }) => key === GATE_FORCE_TAG)?.value || report.forced;
  const told = outcome === "missing"
    ? "no gate has judged it: run `serin gate` on it"
    : report.verdict ?? (outcome === "undecided" ? "its gate could not judge it" : outcome);
  if (outcome === "passed") return { outcome, isAllowed: true, forced: undefined, sentence: told };
  return forced === undefined
    ? { outcome, isAllowed: false, forced, sentence: told }
    : { outcome, isAllowed: true, forced, sentence: `${told}; let through: ${forced}` };
}

/**
 * Whether a version may be rolled out or deployed: one that its gate refused, or could not judge, may
 * not; one that no gate has judged may, unless its model's tag {@linkcode GATE_POLICY_TAG} is
 * `required`. A person who lets it through is obeyed.
 *
 * @param modelTags of the registered model
 * @param versionTags of the version
 * @returns why it may not, or undefined
 *
 * @example A version that its gate refused
 * ```ts
 * import { gateRefusal } from "./mod.ts";
 * console.assert(gateRefusal([], [{ key: "serin.gate", value: "refused" }]) !== undefined);
 * console.assert(gateRefusal([], []) === undefined);
 * ```
 */
export function gateRefusal(
  modelTags: readonly Tag[],
  versionTags: readonly Tag[],
): string | undefined {
  const { outcome, isAllowed, sentence } = gateOutcomeOf(versionTags);
  if (isAllowed) return undefined;
  const policy = modelTags.find(({ key }) => key === GATE_POLICY_TAG)?.value;
  if (outcome === "missing") return policy === "required" ? sentence : undefined;
  return `it has not passed its gate: ${sentence}`;
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
