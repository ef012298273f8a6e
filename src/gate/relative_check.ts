import { holmAdjust, type PairedDifference, rowsNeeded, type Units } from "../statistics/mod.ts";
import type { GateCheck, Relation } from "./check.ts";
import {
  compareMetric,
  estimateMetric,
  GATE_METRICS,
  type MetricName,
  type PairedRows,
} from "./gate_metric.ts";
import type { GateSpec, Requirement } from "./gate_spec.ts";
import { differenceText, limitNumber, needText, pText } from "./number_text.ts";
import type { SizeFloor } from "./size_floor.ts";

/** A metric and what it must show. */
export type Wanted = readonly (readonly [MetricName, Requirement])[];

/** What {@linkcode relate} is told. */
export interface Evidence {
  /** Positive where the candidate is better. */
  readonly gain: PairedDifference;
  readonly margin: number;
  /** Of the whole family of claims. */
  readonly pAdjusted: number;
  readonly alpha: number;
}

/**
 * What an interval says. A claim (better, worse) must stand after Holm's correction over the whole
 * family, for any one of them may be the lucky one. "Not worse" needs no correction: to pass, all
 * metrics must show it (intersection-union test; Berger, Technometrics 24, 1982).
 */
export function relate({ gain, margin, pAdjusted, alpha }: Evidence): Relation {
  const isClaim = pAdjusted <= alpha;
  if (isClaim && gain.lower > 0) return "better";
  if (isClaim && gain.value < -margin) return "worse";
  return gain.lower > -margin ? "not worse" : "too few rows to tell";
}

/** @returns the difference turned so that more is better */
export function gainOf(difference: PairedDifference, sign: 1 | -1): PairedDifference {
  if (sign === 1) return difference;
  const { value, lower, upper } = difference;
  return { ...difference, value: -value, lower: -upper, upper: -lower };
}

/** @returns the margin in the metric's unit */
export function marginOf(metric: MetricName, requirement: Requirement, champion: number): number {
  const given = requirement.margin === undefined && requirement.margin_share === undefined
    ? GATE_METRICS[metric].margin
    : requirement;
  const { margin, margin_share } = given as Partial<Requirement>;
  return margin ?? margin_share! * Math.abs(champion);
}

/** The candidate against the champion in every wanted metric. */
export function relativeChecks(
  pair: PairedRows,
  wanted: Wanted,
  { test: { alpha, power }, units, floor }: {
    test: GateSpec["test"];
    units: Units | undefined;
    floor: SizeFloor | undefined;
  },
): GateCheck[] {
  const { candidate, champion, truth } = pair, options = { alpha, units };
  const compared = wanted.map(([metric, requirement]) => {
    const { sign } = GATE_METRICS[metric];
    const difference = compareMetric(metric, pair, options);
    const [ours, theirs] = [candidate, champion].map((rows) =>
      estimateMetric(metric, rows, truth, options)
    );
    const margin = marginOf(metric, requirement, theirs.value);
    return { metric, requirement, sign, difference, ours, theirs, margin };
  });
  const adjusted = holmAdjust(compared.map(({ difference }) => difference.p));
  return compared.map(({ metric, requirement, sign, difference, ours, theirs, margin }, i) => {
    const gain = gainOf(difference, sign), pAdjusted = adjusted[i];
    const relation = floor === undefined
      ? relate({ gain, margin, pAdjusted, alpha })
      : "too few rows to tell";
    const outcome = outcomeOf(relation, requirement, { gain, margin });
    const question = { gain, margin, alpha, power, rows: truth.length, requirement };
    const needed = outcome === "undecided"
      ? Math.max(floor?.rowsNeeded ?? 0, rowsToTell(question))
      : undefined;
    return {
      id: `relative.${metric}`,
      outcome,
      relation,
      candidate: ours,
      champion: theirs,
      difference,
      limit: limitOf(sign, margin, requirement),
      p: difference.p,
      pAdjusted,
      rowsNeeded: needed !== undefined && Number.isFinite(needed) ? needed : undefined,
      sentence: sentenceOf({
        metric,
        relation,
        outcome,
        difference,
        margin,
        pAdjusted,
        needed,
        floor,
      }),
    };
  });
}

function outcomeOf(
  relation: Relation,
  { require }: Requirement,
  { gain, margin }: Pick<Evidence, "gain" | "margin">,
): GateCheck["outcome"] {
  if (relation === "worse") return "refused";
  if (relation === "too few rows to tell") return "undecided";
  if (require === "not_worse" || relation === "better") return "passed";
  // Asked for better: an interval below the margin rules out any improvement worth the name.
  return gain.upper < margin ? "refused" : "undecided";
}

interface RowsToTell extends Pick<Evidence, "gain" | "margin" | "alpha"> {
  readonly power: number;
  readonly rows: number;
  readonly requirement: Requirement;
}

/**
 * Rows after which the answer is likely: first as if the two were equal (or, asked for better, the
 * candidate better by the margin); where there are more already, as far apart as they seem.
 */
function rowsToTell({ gain, margin, alpha, power, rows, requirement }: RowsToTell): number {
  const { deviation } = gain;
  const rowsFor = (distance: number) => rowsNeeded({ deviation, distance, alpha, power });
  const planned = rowsFor(margin);
  if (planned > rows && Number.isFinite(planned)) return planned;
  const bound = requirement.require === "better" ? 0 : -margin;
  const seen = rowsFor(Math.abs(gain.value - bound));
  return seen > rows ? seen : Infinity;
}

function limitOf(sign: 1 | -1, margin: number, { require }: Requirement): string {
  if (require === "better") return "better";
  return sign === 1 ? `≥ ${limitNumber(-margin)}` : `≤ ${limitNumber(margin)}`;
}

interface Told {
  readonly metric: MetricName;
  readonly relation: Relation;
  readonly outcome: GateCheck["outcome"];
  readonly difference: PairedDifference;
  readonly margin: number;
  readonly pAdjusted: number;
  readonly needed: number | undefined;
  readonly floor: SizeFloor | undefined;
}

function sentenceOf(told: Told): string {
  const { metric, relation, outcome, difference, margin, pAdjusted, needed, floor } = told;
  const numbers = `${metric} ${differenceText(difference)}`;
  if (outcome === "undecided") {
    const why = floor === undefined
      ? "too few rows to tell"
      : `too few rows to tell (${floor.why})`;
    return `${numbers}: ${why}; ${needText(needed)}`;
  }
  if (relation === "better" || relation === "worse") {
    const beyond = relation === "worse" ? `, and likely by more than ${limitNumber(margin)}` : "";
    return `${numbers}: ${relation} (${pText(pAdjusted)} after correction)${beyond}`;
  }
  return outcome === "refused"
    ? `${numbers}: not better, an improvement of ${limitNumber(margin)} is ruled out`
    : `${numbers}: not worse by more than ${limitNumber(margin)}`;
}

/** What all metrics say together: a worse one counts most. */
export function overallRelation(checks: readonly GateCheck[]): Relation | undefined {
  const relations = checks.flatMap(({ relation }) => relation ?? []);
  if (relations.length === 0) return undefined;
  const order = ["worse", "better", "too few rows to tell", "not worse"] as const;
  return order.find((relation) => relations.includes(relation));
}
