import { BY, promql, type RuleOptions } from "../rule_options.ts";
import type { Alert, AlertGroup, InputSeries } from "../rule_shape.ts";
import { counter, gauge } from "../sample_values.ts";

/** Labelled rows below which no error is judged. */
const LABELS_MIN = 200;
/**
 * A version is degraded where even the lower end of its error's interval is above what was expected by
 * a fifth and one point: the expectation is an estimate too, and rows that belong together make
 * intervals look narrower than they are.
 */
const DEGRADED = { factor: 1.2, points: 0.01 };
/** Twice and five points: no chance, no slow change of the world. */
const BROKEN = { factor: 2, points: 0.05 };
/** Labels of the last hour that were refused: of all, and how many at least. */
const REFUSED = { ratio: 0.5, labels: 20 };

const VERSION = 'model="electricity",model_version="1"';
const LABELS = { model: "electricity", model_version: "1" };

/** Realised quality by late labels, and the labels themselves. */
export function qualityGroup(options: RuleOptions): AlertGroup {
  const yesterday =
    `max by (${BY.version}) (serin_realised_error_upper_ratio{window="7d"} offset 1d)`;
  return {
    name: "serin-quality",
    recordings: [{
      // Its error on rows held out from training; where that is unknown, what it was until yesterday. Of a
      // model with aliases only the versions that one names have any: what was rolled back or replaced is
      // judged no more, though its labels are in the windows still.
      record: "version:serin_expected_error:ratio",
      expr: promql(
        `max by (${BY.version}) (serin_reference_error_ratio)`,
        `or ${yesterday} and on (${BY.version}) serin_model_age_seconds`,
        `or ${yesterday} unless on (${BY.model}) serin_model_age_seconds`,
      ),
    }],
    alerts: [
      modelBroken(options),
      modelDegraded(options),
      modelStale(options),
      labelsMissing(options),
      labelDelay(options),
      labelsRefused(),
    ],
  };
}

function isWorse(window: string, { factor, points }: typeof DEGRADED): string {
  const of = (name: string) => `max by (${BY.version}) (${name}{window="${window}"})`;
  return promql(
    of("serin_realised_error_lower_ratio"),
    `> ${factor} * version:serin_expected_error:ratio + ${points}`,
    `and ${of("serin_realised_labels")} >= ${LABELS_MIN}`,
  );
}

/** A version with 12 % expected. */
function realised(window: string, lower: number, labels = 250): InputSeries[] {
  return [
    { series: `serin_reference_error_ratio{${VERSION}}`, values: gauge(0.12, 120) },
    {
      series: `serin_realised_error_lower_ratio{${VERSION},window="${window}"}`,
      values: gauge(lower, 120),
    },
    { series: `serin_realised_labels{${VERSION},window="${window}"}`, values: gauge(labels, 120) },
  ];
}

function modelBroken({ times }: RuleOptions): Alert {
  return {
    name: "SerinModelBroken",
    severity: "page",
    expr: isWorse("1h", BROKEN),
    for: times.brokenFor,
    summary: "{{ $labels.model }} {{ $labels.model_version }}: at least {{ $value | " +
      "humanizePercentage }} of the last hour's labelled predictions are wrong, twice what was " +
      "expected",
    action: "Check the inputs on the drift dashboard first; if they are as ever, move the alias " +
      "back to the version before.",
    fires: [{
      name: "at more than twice the expected error",
      series: realised("1h", 0.35),
      at: "30m",
      labels: LABELS,
      value: "35%",
    }],
    quiet: [{
      name: "when it is merely degraded",
      series: realised("1h", 0.25),
      at: "30m",
    }, {
      name: "when few labels say so",
      series: realised("1h", 0.35, 150),
      at: "30m",
    }],
  };
}

function modelDegraded({ times }: RuleOptions): Alert {
  const withoutReference = [
    {
      series: `serin_realised_error_upper_ratio{${VERSION},window="7d"}`,
      values: gauge(0.12, 1600),
    },
    ...realised("24h", 0.16).slice(1).map(({ series }, i) => ({
      series,
      values: gauge([0.16, 2000][i], 1600),
    })),
  ];
  const champion = (version: string) => ({
    series:
      `serin_model_age_seconds{model="electricity",model_version="${version}",alias="champion"}`,
    values: gauge(86400, 1600),
  });
  return {
    name: "SerinModelDegraded",
    severity: "ticket",
    expr: isWorse("24h", DEGRADED),
    for: times.qualityFor,
    summary: "{{ $labels.model }} {{ $labels.model_version }}: at least {{ $value | " +
      "humanizePercentage }} of the last day's labelled predictions are wrong, more than expected",
    action: "Look for the columns that drift; retrain on fresh labelled rows, and promote what " +
      "passes the gate.",
    retrain: true,
    fires: [{
      name: "when the interval is above the reference and its margin",
      series: realised("24h", 0.16),
      at: "60m",
      labels: LABELS,
      value: "16%",
    }, {
      name: "against yesterday, where no reference is known, nor any alias",
      series: withoutReference,
      at: "1500m",
      labels: LABELS,
      value: "16%",
    }, {
      name: "against yesterday, where no reference of the champion is known",
      series: [...withoutReference, champion("1")],
      at: "1500m",
      labels: LABELS,
      value: "16%",
    }],
    quiet: [{
      name: "inside of the margin",
      series: realised("24h", 0.15),
      at: "60m",
    }, {
      name: "when few labels say so",
      series: realised("24h", 0.3, 150),
      at: "60m",
    }, {
      name: "when another version is champion by now",
      series: [...withoutReference, champion("2")],
      at: "1500m",
    }],
  };
}

function modelStale({ settings: { modelAgeDaysMax } }: RuleOptions): Alert {
  const series = 'serin_model_age_seconds{model="electricity",model_version="1",alias="champion"}';
  const at = (days: number) => gauge(days * 86400, 120);
  return {
    name: "SerinModelStale",
    severity: "ticket",
    expr: promql(
      `max by (${BY.version}) (serin_model_age_seconds{alias="champion"})`,
      `> ${modelAgeDaysMax} * 86400`,
    ),
    for: "1h",
    summary: `{{ $labels.model }} {{ $labels.model_version }} is older than ${modelAgeDaysMax} ` +
      "days and still the champion",
    action: "Retrain and gate it, or raise monitoring.modelAgeDaysMax if the world of this model " +
      "changes slowly.",
    fires: [{
      name: "a day after the limit",
      series: [{ series, values: at(modelAgeDaysMax + 1) }],
      at: "90m",
      labels: LABELS,
    }],
    quiet: [{
      name: "a day before it, and for an old version that is no champion",
      series: [
        { series, values: at(modelAgeDaysMax - 1) },
        { series: series.replace("champion", "previous"), values: at(modelAgeDaysMax + 9) },
      ],
      at: "90m",
    }],
  };
}

function labelsMissing({ settings: { labelDelayHoursMax } }: RuleOptions): Alert {
  const asked = {
    series: `serin_inference_requests_total{${VERSION}}`,
    values: counter([{ rate: 60, minutes: 120 }]),
  };
  // Time begins at 0 in tests.
  const last = (hoursAgo: number) => ({
    series: 'serin_last_label_timestamp_seconds{model="electricity"}',
    values: gauge(3600 - hoursAgo * 3600, 120),
  });
  return {
    name: "SerinLabelsMissing",
    severity: "ticket",
    expr: promql(
      `time() - max by (${BY.model}) (serin_last_label_timestamp_seconds)`,
      `  > ${labelDelayHoursMax} * 3600`,
      `and sum by (${BY.model}) (rate(serin_inference_requests_total[1h])) > 0`,
    ),
    for: "30m",
    summary: "{{ $labels.model }}: no label for {{ $value | humanizeDuration }}, though it is " +
      "asked: its quality is not seen any more",
    action: "Check the job that posts to /v1/labels: does it run, and what is it answered?",
    fires: [{
      name: "when the last one is older than the limit",
      series: [asked, last(labelDelayHoursMax + 1)],
      at: "1h",
      labels: { model: "electricity" },
      value: durationText((labelDelayHoursMax + 1) * 3600),
    }],
    quiet: [{
      name: "an hour before the limit",
      series: [asked, last(labelDelayHoursMax - 1)],
      at: "1h",
    }, {
      name: "when nobody asks, either",
      series: [last(labelDelayHoursMax + 1)],
      at: "1h",
    }],
  };
}

function labelDelay({ settings: { labelDelayHoursMax } }: RuleOptions): Alert {
  const bucket = (le: string, rate: number) => ({
    series: `serin_label_delay_seconds_bucket{model="electricity",le="${le}"}`,
    values: counter([{ rate, minutes: 400 }]),
  });
  const [below, above] = [labelDelayHoursMax * 1800, labelDelayHoursMax * 3600 * 3];
  return {
    name: "SerinLabelDelay",
    severity: "ticket",
    expr: promql(
      "histogram_quantile(0.5,",
      `  sum by (${BY.model}, le) (rate(serin_label_delay_seconds_bucket[6h]))`,
      `) > ${labelDelayHoursMax} * 3600`,
    ),
    for: "1h",
    summary: "{{ $labels.model }}: half of the labels are later than {{ $value | " +
      "humanizeDuration }}: a decay is seen that much later",
    action: "Find what holds up the job that posts labels; for a model whose truth takes longer " +
      "by nature, raise monitoring.labelDelayHoursMax.",
    fires: [{
      name: "when three of four are later than the limit",
      series: [bucket(String(below), 10), bucket(String(above), 40), bucket("+Inf", 40)],
      at: "6h",
      labels: { model: "electricity" },
      value: durationText(below + (above - below) / 3),
    }],
    quiet: [{
      name: "when more than half are, but by little",
      series: [bucket(String(below), 18), bucket(String(above), 40), bucket("+Inf", 40)],
      at: "6h",
    }],
  };
}

function labelsRefused(): Alert {
  const labels = (job: string, outcome: string, rate: number) => ({
    series: `serin_labels_total{job="${job}",instance="${job}:1",outcome="${outcome}"}`,
    values: counter([{ rate, minutes: 120 }]),
  });
  const lastHour = (chosen: string) =>
    `sum by (${BY.process}) (increase(serin_labels_total${chosen}[1h]))`;
  const refused = lastHour('{outcome!="accepted"}');
  return {
    name: "SerinLabelsRefused",
    severity: "ticket",
    // By process: the registry counts again what replicas pass on.
    expr: promql(
      refused,
      `/ ${lastHour("")} > ${REFUSED.ratio}`,
      `and ${refused} >= ${REFUSED.labels}`,
    ),
    for: "15m",
    summary: "{{ $labels.job }} refuses {{ $value | humanizePercentage }} of the labels of the " +
      "last hour: quality is seen by the others alone",
    action:
      "Look which outcome of serin_labels_total grows, and repair the job that posts labels; " +
      "the answer to each of its requests says why.",
    fires: [{
      name: "when six of ten have a token that is none",
      series: [labels("serving", "accepted", 0.25), labels("serving", "invalid_token", 0.375)],
      at: "90m",
      labels: { job: "serving" },
      value: "60%",
    }, {
      name: "for different reasons together, and at the registry alone",
      series: [
        labels("serving", "accepted", 10),
        labels("serving", "expired", 1),
        labels("registry", "accepted", 10),
        labels("registry", "expired", 6),
        labels("registry", "invalid_input", 9),
      ],
      at: "90m",
      labels: { job: "registry" },
      value: "60%",
    }],
    quiet: [{
      name: "at four of ten",
      series: [labels("serving", "accepted", 6), labels("serving", "invalid_token", 4)],
      at: "90m",
    }, {
      name: "when 15 of 24 are",
      series: [labels("serving", "accepted", 0.15), labels("serving", "invalid_token", 0.25)],
      at: "90m",
    }],
  };
}

/** As Prometheus' `humanizeDuration` writes whole minutes. */
function durationText(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const parts = days > 0 ? [`${days}d`, `${hours}h`] : hours > 0 ? [`${hours}h`] : [];
  return [...parts, `${minutes}m`, `${seconds % 60}s`].join(" ");
}
