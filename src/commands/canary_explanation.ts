import { formatTable } from "../cli/mod.ts";
import type { MetricStatus, RolloutStatus } from "../control/mod.ts";
import { formatDuration } from "../core/mod.ts";

/** How it is shown. */
export interface ExplanationStyle {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** For terminals: the outcome stands out. */
  readonly colours: boolean;
  /** Sentences are broken at this width. */
  readonly columns: number;
}

const METRIC_NAMES: Record<MetricStatus["metric"], string> = {
  errors: "errors",
  latency_p90: "slow (p90)",
  latency_p95: "slow (p95)",
  latency_p99: "slow (p99)",
  labels: "wrong labels",
};

const COLOURS = { green: 32, yellow: 33, red: 31, bold: 1, dim: 2 } as const;
type Paint = (style: keyof typeof COLOURS, text: string) => string;

/**
 * Tells a rollout as a person wants to read it: what was compared, the numbers, what held it, its
 * steps, and the verdict.
 *
 * @returns lines without a final newline
 */
export function explainRollout(rollout: RolloutStatus, style: ExplanationStyle): string {
  const paint: Paint = (name, text) =>
    style.colours ? `\x1b[${COLOURS[name]}m${text}\x1b[0m` : text;
  const heading = (text: string) => paint("bold", text);
  const wrapped = (text: string) => wrap(text, style.columns, "  ");
  const held = heldBy(rollout);
  return [
    headline(rollout, style.now, paint),
    "",
    wrapped(rollout.verdict),
    "",
    heading("What was compared"),
    wrapped(comparison(rollout)),
    "",
    indent(metricTable(rollout)),
    "",
    wrapped(legend(rollout)),
    "",
    heading("Evidence that the canary is worse"),
    indent(evidenceLines(rollout, paint)),
    wrapped(
      `Either rolls it back at ${count(rollout.evidenceNeeded)}: a canary that is not worse gets ` +
        `there in fewer than 1 of ${
          count(rollout.evidenceNeeded)
        } rollouts, however often one looks.`,
    ),
    ...(held === undefined ? [] : ["", heading("What held it"), wrapped(held)]),
    "",
    heading("Steps"),
    indent(stepTable(rollout, style.now)),
  ].join("\n");
}

function headline(rollout: RolloutStatus, now: number, paint: Paint): string {
  const { id, model, canary, stable, alias, phase, startedAt, endedAt } = rollout;
  const colour = phase === "promoted" ? "green" : phase === "rolled_back" ? "red" : "yellow";
  const took = formatDuration((endedAt ?? now) - startedAt);
  const when = endedAt === null
    ? `began ${timeOf(startedAt)}, runs for ${took}`
    : `${timeOf(startedAt)}, took ${took}`;
  return [
    `${paint("bold", `Rollout ${id}`)}: ${paint(colour, phase.replace("_", " "))}`,
    `${model} version ${canary} (canary) against version ${stable} (${alias})`,
    paint("dim", when),
  ].join("\n");
}

function comparison({ plan, steps }: RolloutStatus): string {
  const shares = plan.steps.map(({ share }) => percent(share)).join(" → ");
  const labels = plan.labels === "ignored"
    ? "Labels are not looked at."
    : plan.labels === "required"
    ? "Promotion needs labels."
    : "Labels count where any arrive.";
  return `Each request was drawn for one of the two versions by the share of its step ` +
    `(${
      steps === 1 ? "one step" : `${steps} steps`
    }: ${shares}), so a canary that is no worse gets ` +
    `bad events in proportion to its share. ${labels}`;
}

function metricTable(rollout: RolloutStatus): string {
  const rows = rollout.metrics.map((metric) => [
    METRIC_NAMES[metric.metric],
    armCell(metric.canary),
    armCell(metric.stable),
    ratioCell(metric.ratio),
    evidenceCell(metric.evidence),
    shownCell(metric, rollout),
  ]);
  const header = ["metric", "canary", "stable", "ratio (95 %)", "worse", "not worse"];
  return formatTable(header, rows);
}

function armCell({ events, trials, rate }: MetricStatus["canary"]): string {
  if (rate === null) return "–";
  return `${count(events)} of ${count(trials)} (${percent(rate)})`;
}

/** @returns e.g. "1.63 (1.07 to 2.38)" */
function ratioCell(ratio: MetricStatus["ratio"]): string {
  if (ratio === null) return "– (no event)";
  const [estimate, lower, upper] = [ratio.estimate, ratio.lower, ratio.upper].map((x) =>
    x === null ? "∞" : x >= 100 ? count(x) : x.toFixed(2)
  );
  return `${estimate} (${lower} to ${upper})`;
}

function shownCell(metric: MetricStatus, { notWorseNeeded }: RolloutStatus): string {
  if (metric.shown === null) return "not asked";
  const evidence = `${evidenceCell(metric.notWorse ?? 1)} of ${count(notWorseNeeded)}`;
  return `${metric.shown ? "shown" : "not shown"} (${evidence})`;
}

/** What the columns mean, and by how much a promoted version may be worse. */
function legend({ plan: { margins, labels } }: RolloutStatus): string {
  const asked = [
    `errors × ${margins.errorRatio} or + ${percent(margins.errorDifference)} of requests`,
    `slow requests (p95) × ${margins.latencyRatio} or + ${percent(margins.latencyDifference)}`,
    ...(labels === "ignored" ? [] : [`wrong labels × ${margins.labelRatio}`]),
  ];
  return `A ratio is the canary's rate to the stable version's, request by request at the same share, ` +
    `with an interval that holds at every look. "worse" is a metric's evidence by itself. Promotion ` +
    `wants it shown that the canary is not worse by more than the margins: ${asked.join(", ")}.`;
}

const BAR_CELLS = 24;

/** Bars grow with the logarithm: evidence multiplies. */
function evidenceLines(rollout: RolloutStatus, paint: Paint): string {
  const { evidence, labelEvidence, evidenceNeeded } = rollout;
  const rows: [name: string, value: number][] = [
    ["errors and latency", evidence],
    ["labels", labelEvidence],
  ];
  return rows.map(([name, value]) => {
    const part = Math.log(Math.max(1, value)) / Math.log(evidenceNeeded);
    const cells = Math.min(BAR_CELLS, Math.max(0, Math.round(part * BAR_CELLS)));
    const bar = "█".repeat(cells), reached = value >= evidenceNeeded;
    const painted = paint(reached ? "red" : "dim", bar) + "·".repeat(BAR_CELLS - cells);
    const said = `${evidenceCell(value)} of ${count(evidenceNeeded)} needed`;
    return `${name.padEnd(18)}  ${painted}  ${said}${reached ? ", reached" : ""}`;
  }).join("\n");
}

/** @returns undefined where nothing held it */
function heldBy({ holdReason, holdAt, phase, metrics, plan }: RolloutStatus): string | undefined {
  if (holdReason === null) return undefined;
  const since = holdAt === null ? "" : ` (since ${timeOf(holdAt)})`;
  const patience = phase === "hold"
    ? ` After ${formatDuration(plan.holdSeconds * 1000)} of holding a person is asked.`
    : "";
  if (holdReason === "isolate_deaths") {
    return `Isolates died under the canary, more often than under the stable version${since}.${patience}`;
  }
  if (holdReason === "sample_ratio") {
    return `The requests that were counted do not fit the shares, so the evidence is not to be ` +
      `trusted${since}: look for replicas that count one version only.${patience}`;
  }
  if (holdReason === "label_ratio") {
    return `The requests that were labelled do not fit the shares${since}: answers of the two ` +
      `versions are not labelled alike.${patience}`;
  }
  const missing = metrics.filter(({ shown }) => shown === false)
    .map(({ metric }) => METRIC_NAMES[metric]);
  const what = missing.length === 0 ? "everything is shown by now" : missing.join(", ");
  return `The ramp is through, and it is not yet shown that the canary is no worse by more than ` +
    `the margins${since}: ${what}.${patience}`;
}

function stepTable(rollout: RolloutStatus, now: number): string {
  const { plan, history, stepCounts, step: current, endedAt } = rollout;
  const until = endedAt ?? now;
  const rows = plan.steps.map(({ share }, step) => {
    const from = history.find((point) => point.step === step && point.share > 0)?.time;
    const next = history.find((point) => point.step > step)?.time;
    // The look that decides gives the share back: it belongs to its step nevertheless.
    const last = history.findLast((point) => point.step === step);
    const counts = stepCounts[step];
    const begun = from !== undefined && step <= current;
    return [
      `${step + 1}`,
      percent(share),
      begun ? timeOf(from) : "not reached",
      begun ? formatDuration((next ?? until) - from) : "",
      begun && counts !== undefined ? count(counts.canaryRequests) : "",
      begun && counts !== undefined ? count(counts.stableRequests) : "",
      begun ? evidenceCell(Math.max(last!.evidence, last!.labelEvidence)) : "",
    ];
  });
  const header = ["step", "share", "from", "for", "canary", "stable", "evidence at its end"];
  return formatTable(header, rows);
}

function evidenceCell(value: number): string {
  if (value < 10) return value.toFixed(1);
  return value < 1e6 ? count(value) : `10^${Math.floor(Math.log10(value))}`;
}

function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(2))} %`;
}

/** @returns e.g. "2026-01-01 00:00:05Z" */
function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
}

function indent(text: string): string {
  return text.split("\n").map((line) => `  ${line}`).join("\n");
}

/** Breaks a sentence at spaces. */
function wrap(text: string, columns: number, margin: string): string {
  const lines: string[] = [];
  let line = margin;
  for (const word of text.split(" ")) {
    const isFirst = line === margin;
    if (!isFirst && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = margin + word;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}
