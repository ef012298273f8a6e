import { holmAdjust, type PairedDifference, rowsNeeded, type Units } from "../statistics/mod.ts";
import type { CheckOutcome, GateCheck } from "./check.ts";
import {
  compareMetric,
  estimateMetric,
  GATE_METRICS,
  type MetricName,
  type PairedRows,
  selectRows,
} from "./gate_metric.ts";
import type { GateSpec } from "./gate_spec.ts";
import { differenceText, limitNumber, needText, pText } from "./number_text.ts";
import { gainOf, marginOf, type Wanted } from "./relative_check.ts";
import { sizeFloor } from "./size_floor.ts";
import type { Slice } from "./slices.ts";
import { selectUnits } from "./units.ts";

/** One metric of one slice, candidate less champion. */
export interface SliceResult {
  readonly column: string;
  readonly value: string;
  readonly rows: number;
  readonly metric: MetricName;
  /** Its interval holds for all slices and metrics at once (Bonferroni). */
  readonly difference: PairedDifference;
  readonly margin: number;
  readonly pAdjusted: number;
  readonly relation: "worse" | "not worse" | "better" | "not known";
}

/** All slices, judged and not. */
export interface SliceReport {
  /** The most evidence of harm first. */
  readonly results: readonly SliceResult[];
  /** Slices that have too few rows, in all or of a class. */
  readonly skipped: readonly { column: string; value: string; rows: number }[];
  /** One a metric: its worst slice. */
  readonly checks: readonly GateCheck[];
}

/** The candidate against the champion in every slice, corrected for how many there are. */
export function sliceChecks(
  pair: PairedRows,
  slices: readonly Slice[],
  wanted: Wanted,
  { spec, isBinary, units }: { spec: GateSpec; isBinary: boolean; units: Units | undefined },
): SliceReport {
  const { test } = spec, skipped: SliceReport["skipped"][number][] = [];
  const judged = slices.flatMap(({ column, value, rows }) => {
    const truth = Float64Array.from(rows, (row) => pair.truth[row]);
    const floors = { rows_min: spec.slices.rows_min, class_rows_min: test.class_rows_min };
    const own = selectUnits(units, rows);
    if (sizeFloor(truth, own, { isBinary, ...floors }) === undefined) {
      return [{ column, value, rows, truth, units: own }];
    }
    skipped.push({ column, value, rows: rows.length });
    return [];
  });
  const family = judged.length * wanted.length, plain = { alpha: test.alpha, units: undefined };
  const asked = wanted.map(([metric, requirement]) => {
    const whole = estimateMetric(metric, pair.champion, pair.truth, plain).value;
    return { metric, margin: spec.slices.margin_factor * marginOf(metric, requirement, whole) };
  });
  const compared = judged.flatMap(({ column, value, rows, truth, units }) => {
    const [candidate, champion] = [pair.candidate, pair.champion].map((all) =>
      selectRows(all, rows)
    );
    return asked.map(({ metric, margin }) => {
      const options = { alpha: test.alpha / family, units };
      const difference = compareMetric(metric, { candidate, champion, truth }, options);
      return { column, value, rows: rows.length, metric, difference, margin };
    });
  });
  const adjusted = holmAdjust(compared.map(({ difference }) => difference.p));
  const results = compared.map((result, i): SliceResult => {
    const pAdjusted = adjusted[i];
    return { ...result, pAdjusted, relation: relationOf(result, pAdjusted, test.alpha) };
  }).sort((a, b) => evidence(a) - evidence(b));
  const checks = wanted.flatMap(([metric]) => worstOf(metric, results, spec, skipped.length) ?? []);
  return { results, skipped, checks };
}

type Compared = Omit<SliceResult, "pAdjusted" | "relation">;

function relationOf(
  { metric, difference, margin }: Compared,
  pAdjusted: number,
  alpha: number,
): SliceResult["relation"] {
  const gain = gainOf(difference, GATE_METRICS[metric].sign);
  if (pAdjusted <= alpha && gain.value < -margin) return "worse";
  if (pAdjusted <= alpha && gain.value > 0) return "better";
  return gain.lower > -margin ? "not worse" : "not known";
}

/** Standard errors of gain; harm is below 0. */
function evidence({ metric, difference, rows }: Compared): number {
  const { value, deviation } = gainOf(difference, GATE_METRICS[metric].sign);
  return deviation > 0 ? value / (deviation / Math.sqrt(rows)) : Math.sign(value) * 1e9;
}

function worstOf(
  metric: MetricName,
  results: readonly SliceResult[],
  spec: GateSpec,
  skipped: number,
): GateCheck | undefined {
  const ours = results.filter((result) => result.metric === metric);
  const worse = ours.filter(({ relation }) => relation === "worse");
  const unknown = ours.filter(({ relation }) => relation === "not known");
  const worst = worse[0] ?? ours[0];
  const strict = spec.slices.require === "not_worse";
  const outcome: CheckOutcome = worse.length > 0
    ? "refused"
    : strict && unknown.length + skipped > 0
    ? "undecided"
    : "passed";
  const id = `slices.${metric}`;
  if (worst === undefined) {
    const sentence = `no slice has the ${spec.slices.rows_min} rows (and ` +
      `${spec.test.class_rows_min} of each class) that it takes to judge one`;
    return { id, outcome, sentence };
  }
  const { sign } = GATE_METRICS[metric], { margin, difference, pAdjusted } = worst;
  return {
    id,
    outcome,
    difference,
    limit: sign === 1 ? `≥ ${limitNumber(-margin)}` : `≤ ${limitNumber(margin)}`,
    p: difference.p,
    pAdjusted,
    rowsNeeded: undefined,
    sentence: sentenceOf(worst, { worse, unknown, judged: ours.length, skipped, outcome, spec }),
  };
}

interface Counted {
  readonly worse: readonly SliceResult[];
  readonly unknown: readonly SliceResult[];
  readonly judged: number;
  readonly skipped: number;
  readonly outcome: CheckOutcome;
  readonly spec: GateSpec;
}

function sentenceOf(worst: SliceResult, counted: Counted): string {
  const { worse, unknown, judged, skipped, outcome, spec } = counted;
  const { column, value, rows, metric, difference, margin, pAdjusted } = worst;
  const what = `${metric} ${differenceText(difference)} in the worst of ${judged} slices, ` +
    `${column} ${value} (${rows} rows)`;
  const small = skipped === 0 ? "" : `; ${skipped} slices are too small to judge`;
  if (outcome === "refused") {
    const others = worse.length === 1 ? "" : `, ${worse.length} slices in all`;
    return `${what}: worse (${pText(pAdjusted)} after correction), and likely by more than ` +
      `${limitNumber(margin)}${others}${small}`;
  }
  if (outcome === "undecided") {
    const { alpha, power } = spec.test, { deviation } = difference;
    const needed = rowsNeeded({ deviation, distance: margin, alpha: alpha / judged, power });
    return `${what}: ${unknown.length} slices are not shown to be within ${limitNumber(margin)}` +
      `${small}; for this slice ${needText(needed)}`;
  }
  return `${what}: no slice is shown to be worse by more than ${limitNumber(margin)}${small}`;
}
