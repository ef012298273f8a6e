import { Counter, Gauge, type Metric, Registry } from "prom-client";

/** Labels of one sample. */
export type Labels = Record<string, string>;

/** One sample of a gauge or counter. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** One histogram series: counts a bucket (not cumulative, one more for what is above), and the sum. */
export interface HistogramSample {
  readonly labels: Labels;
  readonly counts: readonly number[];
  readonly sum: number;
}

interface Declaration {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/**
 * The metrics of one process. Every metric is read from its owner when it is scraped, so that nothing
 * is counted twice or kept in two places. Names: `serin_` + what + base unit; counters end in
 * `_total`; labels are bounded (never a request's own text).
 *
 * @example A gauge that is read when scraped
 * ```ts
 * import { Metrics } from "./mod.ts";
 * const metrics = new Metrics();
 * metrics.gauge({ name: "serin_inflight_requests", help: "Requests being answered", labels: [] },
 *   () => [{ labels: {}, value: 3 }]);
 * console.assert((await metrics.text()).includes("serin_inflight_requests 3"));
 * ```
 */
export class Metrics {
  readonly #registry = new Registry();

  /** The content type of {@linkcode Metrics.text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** @returns all metrics in Prometheus' text format */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Declares a gauge and where it is read. */
  gauge(declaration: Declaration, read: () => readonly Sample[]): void {
    new Gauge({
      ...this.#configure(declaration),
      collect() {
        this.reset();
        for (const sample of read()) this.set(sample.labels, sample.value);
      },
    });
  }

  /** Declares a counter and where its total is read. */
  counter(declaration: Declaration, read: () => readonly Sample[]): void {
    new Counter({
      ...this.#configure(declaration),
      collect() {
        this.reset();
        for (const sample of read()) this.inc(sample.labels, sample.value);
      },
    });
  }

  /** Declares a histogram with its upper bounds, and where its counts are read. */
  histogram(
    declaration: Declaration,
    bounds: readonly number[],
    read: () => readonly HistogramSample[],
  ): void {
    const { name, help } = declaration;
    // prom-client's own histogram only observes; this one is counted elsewhere and only shown.
    const metric = {
      name,
      help,
      type: "histogram",
      get: () =>
        Promise.resolve({
          name,
          help,
          type: "histogram",
          aggregator: "sum",
          values: read().flatMap((sample) => seriesOf(name, bounds, sample)),
        }),
    };
    this.#registry.registerMetric(metric as unknown as Metric);
  }

  #configure({ name, help, labels }: Declaration) {
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }
}

function seriesOf(name: string, bounds: readonly number[], sample: HistogramSample) {
  const { labels, counts, sum } = sample;
  let total = 0;
  const buckets = [...bounds, "+Inf"].map((le, i) => {
    total += counts[i];
    return { metricName: `${name}_bucket`, labels: { ...labels, le: String(le) }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ];
}
