/** How long something takes, as Prometheus writes it: `5m`. */
export type Duration = `${number}${"s" | "m" | "h" | "d"}`;

/** A series of `promtool test rules`: one value an interval. */
export interface InputSeries {
  readonly series: string;
  /** In promtool's notation: `0+60x30` begins at 0 and grows by 60, 30 times. */
  readonly values: string;
}

/** What `promtool test rules` plays to an alert. */
export interface AlertCase {
  readonly name: string;
  readonly series: readonly InputSeries[];
  /** When it is looked at, after the first sample. */
  readonly at: Duration;
}

/** A case in which the alert fires, with what it then says. */
export interface FiringCase extends AlertCase {
  /** Labels of the expression's answer. */
  readonly labels: Readonly<Record<string, string>>;
  /** What `$value` becomes in the annotations; default there is none. */
  readonly value?: string;
}

/** An alert of serin: its rule, what a person is told, and the proof that it works. */
export interface Alert {
  readonly name: `Serin${string}`;
  /** `page` wakes somebody up: users are hit now. `ticket` is for the next working day. */
  readonly severity: "page" | "ticket";
  readonly expr: string;
  readonly for: Duration;
  /** One line: what is the matter with whom; may have `{{ $labels.x }}` and `{{ $value | … }}`. */
  readonly summary: string;
  /** One sentence: what to do. */
  readonly action: string;
  /** Training on fresh data may help: the alert goes to serin retrain serve, too. */
  readonly retrain?: true;
  readonly fires: readonly FiringCase[];
  /** Near misses: what looks alike and is none of its business. */
  readonly quiet: readonly AlertCase[];
}

/** A query that is worked out once and stored under a name. */
export interface Recording {
  readonly record: string;
  readonly expr: string;
}

/** Rules that are evaluated together, one after the other. */
export interface AlertGroup {
  readonly name: string;
  readonly recordings: readonly Recording[];
  readonly alerts: readonly Alert[];
}
