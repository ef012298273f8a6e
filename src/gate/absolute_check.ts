import {
  calibrationCurve,
  calibrationError,
  type Estimate,
  normalQuantile,
  rowsNeeded,
  type Units,
} from "../statistics/mod.ts";
import type { GateCheck } from "./check.ts";
import { estimateMetric, type IntervalOptions, type MetricName } from "./gate_metric.ts";
import type { GateSpec } from "./gate_spec.ts";
import { intervalText, limitNumber, needText } from "./number_text.ts";
import type { ScoredRows } from "./scored_rows.ts";
import type { SizeFloor } from "./size_floor.ts";

/** A name under `absolute` in gate.yaml. */
export type AbsoluteName = MetricName | "ece" | "calibration_slope";

interface Limit {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** @returns the limits that gate.yaml sets, in its order */
export function absoluteLimits(spec: GateSpec["absolute"]): [AbsoluteName, Limit][] {
  const { judge_by: _, ...limits } = spec;
  return Object.entries(limits).filter(([, limit]) => limit !== undefined) as [
    AbsoluteName,
    Limit,
  ][];
}

/**
 * The candidate against fixed limits. To pass, the whole interval keeps the limit; to be refused, the
 * whole of one that is corrected for the number of limits misses it; between the two the rows do not
 * tell.
 */
export function absoluteChecks(
  rows: ScoredRows,
  truth: Float64Array,
  { spec, units, floor }: {
    spec: GateSpec;
    units: Units | undefined;
    floor: SizeFloor | undefined;
  },
): GateCheck[] {
  const limits = absoluteLimits(spec.absolute);
  const { alpha, power } = spec.test;
  return limits.map(([name, limit]) => {
    const estimate = estimateOf(name, rows, truth, { alpha, units });
    const strict = estimateOf(name, rows, truth, { alpha: alpha / limits.length, units });
    const byEstimate = spec.absolute.judge_by === "estimate";
    const outcome = floor !== undefined || Number.isNaN(estimate.value)
      ? "undecided"
      : byEstimate
      ? outcomeOf(valueOnly(estimate), valueOnly(estimate), limit)
      : outcomeOf(estimate, strict, limit);
    const needed = outcome === "undecided"
      ? Math.max(
        floor?.rowsNeeded ?? 0,
        rowsToTell(estimate, limit, { alpha, power }, truth.length),
      )
      : undefined;
    return {
      id: `absolute.${name}`,
      outcome,
      candidate: estimate,
      limit: limitText(limit),
      rowsNeeded: needed !== undefined && Number.isFinite(needed) ? needed : undefined,
      sentence: `${name} ${intervalText(estimate)}: ${said(outcome, limit, needed, floor)}`,
    };
  });
}

function estimateOf(
  name: AbsoluteName,
  rows: ScoredRows,
  truth: Float64Array,
  options: IntervalOptions,
): Estimate {
  if (name !== "ece" && name !== "calibration_slope") {
    return estimateMetric(name, rows, truth, options);
  }
  const { alpha, units } = options;
  const estimate = name === "ece"
    ? calibrationError(rows.scores, truth, { alpha })
    : calibrationCurve(rows.scores, truth, alpha).slope;
  if (units === undefined) return estimate;
  // As much wider as the squared error's interval becomes (the design effect).
  const [alone, together] = [undefined, units].map((units) => {
    const { lower, upper } = estimateMetric("brier", rows, truth, { alpha, units });
    return upper - lower;
  });
  const factor = alone > 0 ? Math.max(1, together / alone) : 1, { value, lower, upper } = estimate;
  const low = value - factor * (value - lower), high = value + factor * (upper - value);
  return { value, lower: name === "ece" ? Math.max(0, low) : low, upper: high };
}

function valueOnly({ value }: Estimate): Estimate {
  return { value, lower: value, upper: value };
}

function outcomeOf(loose: Estimate, strict: Estimate, limit: Limit): GateCheck["outcome"] {
  const { min = -Infinity, max = Infinity } = limit;
  if (loose.lower >= min && loose.upper <= max) return "passed";
  return strict.upper < min || strict.lower > max ? "refused" : "undecided";
}

/** The interval shrinks with the root of the rows. */
function rowsToTell(
  { value, lower, upper }: Estimate,
  { min = -Infinity, max = Infinity }: Limit,
  { alpha, power }: { alpha: number; power: number },
  rows: number,
): number {
  const distance = Math.min(Math.abs(value - min), Math.abs(value - max));
  const half = (upper - lower) / 2;
  if (!Number.isFinite(half)) return Infinity;
  // The standard deviation of one row, from the interval: half = z deviation / √rows.
  const deviation = half / normalQuantile(1 - alpha / 2) * Math.sqrt(rows);
  const needed = rowsNeeded({ deviation, distance, alpha, power });
  return needed > rows ? needed : Infinity;
}

function limitText({ min, max }: Limit): string {
  const low = min === undefined ? [] : [`≥ ${limitNumber(min)}`];
  return [...low, ...(max === undefined ? [] : [`≤ ${limitNumber(max)}`])].join(", ");
}

function said(
  outcome: GateCheck["outcome"],
  limit: Limit,
  needed: number | undefined,
  floor: SizeFloor | undefined,
): string {
  if (outcome === "passed") return `keeps ${limitText(limit)}`;
  if (outcome === "refused") return `misses ${limitText(limit)}`;
  const why = floor === undefined ? "" : ` (${floor.why})`;
  return `too few rows to tell whether it keeps ${limitText(limit)}${why}; ${needText(needed)}`;
}
