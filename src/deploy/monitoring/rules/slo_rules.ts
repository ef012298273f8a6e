import { BY, promql, type RuleOptions, secondsOf } from "../rule_options.ts";
import type { Alert, AlertGroup, Duration, InputSeries, Recording } from "../rule_shape.ts";
import { counter, type Phase } from "../sample_values.ts";

/** Bad requests that a window must have: of a few requests, one that fails is no burning budget. */
const BAD_REQUESTS_MIN = 10;

/** Requests a minute in tests. */
const PER_MINUTE = 6000;
const LABELS = 'model="electricity",model_version="1"';
const REQUESTS = `serin_inference_requests_total{${LABELS}}`;
const ERRORS = `serin_inference_errors_total{${LABELS},reason="exception"}`;

/** One objective: what is counted, and what is said when its budget burns. */
interface Objective {
  readonly alert: "SerinErrorBudget" | "SerinLatencyBudget";
  /** Name of the recorded ratio, without its window. */
  readonly record: string;
  /** Objective, percent. */
  readonly percent: string;
  /** Requests that miss it, and all of them, over a window. */
  bad(window: Duration): string;
  all(window: Duration): string;
  readonly what: string;
  readonly action: string;
  /** Series of so many requests a minute of which a part is bad, for tests. */
  series(bad: readonly Phase[], perMinute?: number): InputSeries[];
}

/** Availability and latency, by how fast their error budgets burn. */
export function sloGroup(options: RuleOptions): AlertGroup {
  const objectives = [availability(options), latency(options)];
  return {
    name: "serin-slo",
    recordings: objectives.flatMap((objective) => ratios(objective, options)),
    alerts: objectives.flatMap((objective) => [fast(objective, options), slow(objective, options)]),
  };
}

function availability({ settings }: RuleOptions): Objective {
  const sum = (name: string, window: Duration) => `sum by (${BY.model}) (rate(${name}[${window}]))`;
  return {
    alert: "SerinErrorBudget",
    record: "model:serin_inference_errors",
    percent: settings.availabilityPercent,
    // Before the first error there is no series of errors.
    bad: (window) =>
      promql(
        `(${sum("serin_inference_errors_total", window)}`,
        `or 0 * ${sum("serin_inference_requests_total", window)})`,
      ),
    all: (window) => sum("serin_inference_requests_total", window),
    what: `of requests fail; the objective is ${settings.availabilityPercent} % answered`,
    action: "Find the reason in serin_inference_errors_total by model_version; if one version " +
      "fails, move the alias back to the one before.",
    series: (bad, perMinute = PER_MINUTE) => [
      {
        series: REQUESTS,
        values: counter(bad.map(({ minutes }) => ({ rate: perMinute, minutes }))),
      },
      { series: ERRORS, values: counter(bad) },
    ],
  };
}

function latency({ settings }: RuleOptions): Objective {
  const { latencySeconds, latencyPercent } = settings;
  const name = "serin_inference_duration_seconds";
  // Prometheus 3 writes whole bounds as 1.0, earlier ones as they were exposed.
  const le = latencySeconds.includes(".")
    ? `le="${latencySeconds}"`
    : `le=~"${latencySeconds}(\\\\.0)?"`;
  const all = (window: Duration) => `sum by (${BY.model}) (rate(${name}_count[${window}]))`;
  return {
    alert: "SerinLatencyBudget",
    record: "model:serin_inference_slow",
    percent: latencyPercent,
    bad: (window) =>
      promql(
        `(${all(window)}`,
        `- sum by (${BY.model}) (rate(${name}_bucket{${le}}[${window}])))`,
      ),
    all,
    what: `of requests take longer than ${latencySeconds} s; the objective is ` +
      `${latencyPercent} % within it`,
    action: "Compare versions and replicas on the service dashboard; add replicas if all are " +
      "busy, move the alias back if one version is slow.",
    series: (bad, perMinute = PER_MINUTE) => [
      {
        series: `${name}_count{${LABELS}}`,
        values: counter(bad.map(({ minutes }) => ({ rate: perMinute, minutes }))),
      },
      {
        series: `${name}_bucket{${LABELS},le="${latencySeconds}"}`,
        values: counter(bad.map(({ rate, minutes }) => ({ rate: perMinute - rate, minutes }))),
      },
    ],
  };
}

function ratios(objective: Objective, { times }: RuleOptions): Recording[] {
  const windows = [...times.fast, ...times.slow].flatMap(({ long, short }) => [short, long]);
  return [...new Set(windows)].map((window) => ({
    record: `${objective.record}:ratio_rate${window}`,
    expr: promql(objective.bad(window), `/ ${objective.all(window)}`),
  }));
}

/** Both windows burn, and the long one has enough bad requests to mean it. */
function burns(
  { record, percent, bad }: Objective,
  { factor, long, short }: RuleOptions["times"]["fast"][0],
): string {
  const limit = `${factor} * (1 - ${percent} / 100)`;
  return promql(
    `${record}:ratio_rate${short} > ${limit}`,
    `and ${record}:ratio_rate${long} > ${limit}`,
    `and ${bad(long)} * ${secondsOf(long)} >= ${BAD_REQUESTS_MIN}`,
  );
}

function fast(objective: Objective, { times }: RuleOptions): Alert {
  const [first, second] = times.fast;
  const labels = { model: "electricity" };
  const value = (factor: number) => percentText(badOf(objective, factor) / PER_MINUTE);
  const course = (...phases: Course) => objective.series(burning(objective, phases));
  return {
    name: `${objective.alert}BurnFast`,
    severity: "page",
    expr: promql(`(${burns(objective, first)})`, "or", `(${burns(objective, second)})`),
    for: times.burnFor,
    summary: `{{ $labels.model }}: {{ $value | humanizePercentage }} ${objective.what}; the ` +
      "budget of 30 days is gone in days",
    action: objective.action,
    fires: [{
      name: "at 16 times the budget for an hour, after three quiet ones",
      series: course([0, 180], [16, 80]),
      at: "245m",
      labels,
      value: value(16),
    }, {
      name: "at 8 times the budget for hours",
      series: course([8, 420]),
      at: "400m",
      labels,
      value: value(8),
    }],
    quiet: [
      { name: "at 5 times the budget, however long", series: course([5, 430]), at: "420m" },
      {
        name: "in a burst of 25 minutes: the windows of hours are below",
        series: course([0, 180], [30, 30]),
        at: "205m",
      },
      {
        name: "at 12 times for 100 minutes: neither pair",
        series: course([0, 200], [12, 110]),
        at: "300m",
      },
      {
        name: "when it is over: the short windows are clean again",
        series: course([30, 60], [0, 60]),
        at: "95m",
      },
      {
        name: "when the worst is over: 5 minutes are below, and 6 hours still",
        series: course([0, 300], [30, 60], [10, 20]),
        at: "370m",
      },
      {
        name: "when hours were bad and 30 minutes are better",
        series: course([8, 300], [4.5, 60]),
        at: "340m",
      },
      fewBad(objective),
    ],
  };
}

function slow(objective: Objective, { times }: RuleOptions): Alert {
  const [first, second] = times.slow;
  const course = (...phases: Course) => objective.series(burning(objective, phases));
  return {
    name: `${objective.alert}BurnSlow`,
    severity: "ticket",
    expr: promql(`(${burns(objective, first)})`, "or", `(${burns(objective, second)})`),
    for: "15m",
    summary: `{{ $labels.model }}: {{ $value | humanizePercentage }} ${objective.what}; the ` +
      "budget of 30 days will not last",
    action: objective.action,
    fires: [{
      name: "at 1.5 times the budget for hours",
      series: course([1.5, 430]),
      at: "420m",
      labels: { model: "electricity" },
      value: percentText(badOf(objective, 1.5) / PER_MINUTE),
    }],
    quiet: [
      { name: "at two thirds of the budget", series: course([2 / 3, 430]), at: "420m" },
      {
        name: "after two bad hours of many: the windows of days are below",
        series: course([0, 600], [3.5, 150]),
        at: "740m",
      },
      {
        name: "when it is better for 6 hours",
        series: course([2, 400], [0.7, 370]),
        at: "760m",
      },
      {
        name: "when a burst was long ago, and 2 hours are not so bad",
        series: course([30, 200], [0, 240], [2, 130]),
        at: "560m",
      },
      fewBad(objective),
    ],
  };
}

/** How many times the budget, and for how many minutes. */
type Course = readonly (readonly [factor: number, minutes: number])[];

function burning(objective: Objective, course: Course): Phase[] {
  return course.map(([factor, minutes]) => ({ rate: badOf(objective, factor), minutes }));
}

/** Twelve requests an hour, of which eight are bad. */
function fewBad({ series }: Objective) {
  const phases = [{ rate: 0, minutes: 180 }, { rate: 8 / 60, minutes: 70 }];
  return {
    name: "when eight of twelve requests are bad",
    series: series(phases, 0.2),
    at: "240m",
  } as const;
}

/** Bad requests a minute that burn the budget at `factor` times the rate that uses it up. */
function badOf({ percent }: Objective, factor: number): number {
  return Math.min(PER_MINUTE, Math.round(PER_MINUTE * (1 - Number(percent) / 100) * factor));
}

/** As Prometheus' `humanizePercentage` writes it: four significant digits. */
function percentText(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(4))}%`;
}
