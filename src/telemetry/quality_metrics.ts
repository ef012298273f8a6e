import type { Metrics, Sample } from "./metrics.ts";

/** What is known of the quality of the models that were served; the shape that `rollout` gives. */
export interface QualityReadings {
  readonly realised: readonly {
    readonly model: string;
    readonly version: string;
    readonly window: string;
    readonly labelled: number;
    readonly errorRatio: number;
    readonly lower: number;
    readonly upper: number;
  }[];
  readonly delays: readonly {
    readonly model: string;
    readonly counts: readonly number[];
    readonly sumSeconds: number;
    /** Milliseconds since the epoch. */
    readonly lastAt: number;
  }[];
}

/** A version that an alias names. */
export interface AliasedVersion {
  readonly model: string;
  readonly alias: string;
  readonly version: string;
  /** When it was made, milliseconds since the epoch. */
  readonly createdMs: number;
  /** Its error on the test rows of its training, where that is known. */
  readonly referenceError: number | undefined;
}

/** What the registry knows of the models that are in use. */
export interface ModelReadings {
  readonly aliased: readonly AliasedVersion[];
  /** When the newest version of each model was made, milliseconds since the epoch. */
  readonly newest: readonly { readonly model: string; readonly createdMs: number }[];
}

const LABELS = ["model", "model_version"] as const;

/** Declares the metrics of realised quality: errors by late labels, and how late those are. */
export function addQualityMetrics(
  metrics: Metrics,
  delayBounds: readonly number[],
  read: () => QualityReadings,
): void {
  type Realised = QualityReadings["realised"][number];
  const realised = (name: string, help: string, value: (one: Realised) => number) =>
    metrics.gauge(
      { name, help, labels: [...LABELS, "window"] },
      () =>
        read().realised.map((one) => ({
          labels: { ...labelsOf(one), window: one.window },
          value: value(one),
        })),
    );
  realised(
    "serin_realised_error_ratio",
    "Share of wrong rows among those that were predicted in the window and are labelled",
    ({ errorRatio }) => errorRatio,
  );
  realised(
    "serin_realised_error_lower_ratio",
    "Lower end of the 95 % interval (Wilson) of serin_realised_error_ratio",
    ({ lower }) => lower,
  );
  realised(
    "serin_realised_error_upper_ratio",
    "Upper end of the 95 % interval (Wilson) of serin_realised_error_ratio",
    ({ upper }) => upper,
  );
  realised(
    "serin_realised_labels",
    "Rows that were predicted in the window and are labelled",
    ({ labelled }) => labelled,
  );
  metrics.histogram(
    {
      name: "serin_label_delay_seconds",
      help: "Time from a prediction to its label",
      labels: ["model"],
    },
    delayBounds,
    () =>
      read().delays.map(({ model, counts, sumSeconds }) => ({
        labels: { model },
        counts,
        sum: sumSeconds,
      })),
  );
  metrics.gauge({
    name: "serin_last_label_timestamp_seconds",
    help: "When the last label of a model arrived, seconds since the epoch",
    labels: ["model"],
  }, () => read().delays.map(({ model, lastAt }) => ({ labels: { model }, value: lastAt / 1000 })));
}

/** Declares the metrics of the versions that aliases name: age, and error when they were trained. */
export function addModelMetrics(
  metrics: Metrics,
  { read, now }: { read: () => ModelReadings; now: () => number },
): void {
  metrics.gauge({
    name: "serin_model_age_seconds",
    help: "Time since the version that an alias names was made",
    labels: [...LABELS, "alias"],
  }, () =>
    read().aliased.map((one) => ({
      labels: { ...labelsOf(one), alias: one.alias },
      value: Math.max(0, now() - one.createdMs) / 1000,
    })));
  metrics.gauge({
    name: "serin_reference_error_ratio",
    help: "Share of wrong rows among the test rows of a version's training",
    labels: LABELS,
  }, () => referenceErrors(read().aliased));
  metrics.gauge(
    {
      name: "serin_last_training_timestamp_seconds",
      help: "When the newest version of a model was made, seconds since the epoch",
      labels: ["model"],
    },
    () =>
      read().newest.map(({ model, createdMs }) => ({ labels: { model }, value: createdMs / 1000 })),
  );
}

/** Two aliases may name one version. */
function referenceErrors(aliased: readonly AliasedVersion[]): Sample[] {
  const samples = new Map<string, Sample>();
  for (const one of aliased) {
    if (one.referenceError === undefined) continue;
    const sample = { labels: labelsOf(one), value: one.referenceError };
    samples.set(`${one.model}\n${one.version}`, sample);
  }
  return [...samples.values()];
}

function labelsOf({ model, version }: { model: string; version: string }) {
  return { model, model_version: version };
}
