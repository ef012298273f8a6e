import type { Duration } from "./rule_shape.ts";

/** What an installation may set about its alerts. */
export interface AlertSettings {
  /** Pages of the runbook: `<runbookUrl>/<alert>.md`. */
  readonly runbookUrl: string;
  /** Objective of answered requests, percent. */
  readonly availabilityPercent: string;
  /** Objective of requests within {@linkcode AlertSettings.latencySeconds}, percent. */
  readonly latencyPercent: string;
  /** A bound of the latency histogram. */
  readonly latencySeconds: string;
  /** Population stability index above which a column has drifted. */
  readonly psiMax: string;
  /** Columns of whatever model whose drift is no news: dates, counters. */
  readonly driftIgnoreColumns: readonly string[];
  readonly modelAgeDaysMax: number;
  readonly labelDelayHoursMax: number;
}

/** Two windows in which the error budget must burn at `factor` times the rate that uses it up. */
interface BurnPair {
  readonly factor: number;
  readonly long: Duration;
  readonly short: Duration;
}

/** Every length of time that the rules know; a test of the whole chain shortens some. */
export interface RuleTimes {
  /** "The Site Reliability Workbook", chapter 5, table 5-8: 2 % of the budget of 30 days, 5 %. */
  readonly fast: readonly [BurnPair, BurnPair];
  /** 10 % of the budget, twice. */
  readonly slow: readonly [BurnPair, BurnPair];
  readonly burnFor: Duration;
  /** For how long a drift must last, and over what time its rows are counted. */
  readonly driftFor: Duration;
  readonly driftRows: Duration;
  /** For how long the realised error must be too high. */
  readonly qualityFor: Duration;
  readonly brokenFor: Duration;
  /** For how long a process must be away or unwell. */
  readonly downFor: Duration;
}

/** The times of every installation. */
export const RULE_TIMES: RuleTimes = {
  fast: [{ factor: 14.4, long: "1h", short: "5m" }, { factor: 6, long: "6h", short: "30m" }],
  slow: [{ factor: 3, long: "1d", short: "2h" }, { factor: 1, long: "3d", short: "6h" }],
  burnFor: "2m",
  driftFor: "30m",
  driftRows: "1h",
  qualityFor: "15m",
  brokenFor: "5m",
  downFor: "5m",
};

/** What rules are made of. */
export interface RuleOptions {
  readonly settings: AlertSettings;
  readonly times: RuleTimes;
}

/**
 * Labels that answers are grouped by. `namespace` keeps two installations on one Prometheus apart; where
 * nothing sets it, it is absent on both sides of each comparison and changes nothing.
 */
export const BY = {
  process: "namespace, job",
  model: "namespace, model",
  version: "namespace, model, model_version",
  column: "namespace, model, model_version, column",
} as const;

/**
 * A matcher that leaves columns out; nothing where none is named.
 *
 * @example Names are taken as they are, not as patterns
 * ```ts
 * import { withoutColumns } from "./rule_options.ts";
 * console.assert(withoutColumns(["date", "a.b"]) === String.raw`{column!~"date|a\\.b"}`);
 * ```
 */
export function withoutColumns(names: readonly string[]): string {
  if (names.length === 0) return "";
  // Twice: the pattern is RE2's, and stands in a string of PromQL's.
  const escaped = names.map((name) => name.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return `{column!~${JSON.stringify(escaped.join("|"))}}`;
}

/** Lines of one query. */
export function promql(...lines: readonly string[]): string {
  return lines.join("\n");
}

/** `30m` → seconds. */
export function secondsOf(duration: Duration): number {
  const units = { s: 1, m: 60, h: 3600, d: 86400 } as const;
  return Number(duration.slice(0, -1)) * units[duration.at(-1) as keyof typeof units];
}
