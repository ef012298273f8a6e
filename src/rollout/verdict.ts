import { formatDuration } from "../core/mod.ts";
import { eventsToPromote, eventsToRollBack } from "../statistics/mod.ts";
import {
  blamedMetrics,
  type Evidence,
  marginOf,
  type Metric,
  type MetricEvidence,
  ratioOf,
  ratioSinceOf,
  sumOf,
} from "./evidence.ts";
import type { RolloutPlan } from "./plan.ts";
import type { Look, Phase } from "./rollout_state.ts";

/**
 * What a rollout says of itself: one sentence, with the numbers behind a decision, and while
 * nothing is decided, with what would decide next.
 */

/** @returns e.g. "error", "wrong-label", "latency (p95)", to stand before "ratio" */
export function metricName(metric: Metric): string {
  if (metric === "errors") return "error";
  if (metric === "labels") return "wrong-label";
  return `slow-request (${metric.slice("latency_".length)})`;
}

/** The sentence of a rollback. */
export function rolledBack(look: Look): string {
  const { plan, observation, evidence } = look, needed = evidence.needed;
  const byLabels = evidence.logLabels >= evidence.logImmediate;
  const blamed = byLabels
    ? evidence.metrics.filter(({ metric }) => metric === "labels")
    : blamedMetrics(plan, evidence);
  const ratios = blamed.map(({ metric }) => {
    const { since, ratio } = ratioSinceOf(plan, observation.totals, metric);
    if (ratio === undefined) return `${metricName(metric)}s`;
    const when = since === 0 ? "" : ` since ${percent(plan.steps[since].share)}`;
    return `${metricName(metric)} ratio${when} ${formatRatio(ratio.estimate)} ` +
      `(${formatRatio(ratio.lower)} to ${formatRatio(ratio.upper)}, valid at every look)`;
  });
  const log = byLabels ? evidence.logLabels : evidence.logImmediate;
  return `rolled back after ${servedFor(look)}: ${ratios.join("; ")}; ` +
    `evidence ${formatEvidence(log)} of ${formatCount(needed)} needed; ` +
    `chance of such evidence by luck below 1 in ${formatCount(needed)}`;
}

/** The sentence of a canary that no replica can run; no statistics are needed. */
export function unservable(look: Look): string {
  const errors = look.observation.replicas.unservable ?? [];
  return `rolled back after ${servedFor(look)}: the canary cannot be served: ` +
    errors.slice(0, 3).join("; ");
}

/** The sentence of a promotion. */
export function promoted(look: Look): string {
  const { plan, evidence } = look;
  const shown = evidence.metrics.filter(({ shown }) => shown).map((metric) => {
    // Rates of steps with other shares, at other hours, cannot be pooled fairly; the ratio can.
    const ratio = ratioOf(plan, look.observation.totals, metric.metric);
    const name = metricName(metric.metric);
    if (ratio === undefined) return `no ${name}s`;
    return `${name} ratio ${formatRatio(ratio.estimate)} ` +
      `(${formatRatio(ratio.lower)} to ${formatRatio(ratio.upper)})`;
  });
  return `promoted after ${servedFor(look)}: not worse by more than the margins (${
    shown.join(", ")
  }); chance of passing a version beyond them below 1 in ${formatCount(1 / plan.beta)}`;
}

/** The sentence of a rollout that a person has to decide. */
export function inconclusive(look: Look): string {
  const { plan, state } = look;
  const why = state.holdReason === undefined
    ? tooFew(look)
    : `${holdReason(look)}, also after ${formatDuration(plan.holdSeconds * 1000)} of waiting`;
  return `inconclusive after ${servedFor(look)}: ${why}; ` +
    `a person decides: promote or abort it (until then the stable version serves all)`;
}

/** What a warm-up waits for. */
export function warmingUp({ plan, state, observation: { now, replicas } }: Look): string {
  if (replicas.errors.length > 0) {
    return `waiting: the canary cannot be served: ${replicas.errors.slice(0, 3).join("; ")}`;
  }
  const missing = replicasMissing(replicas);
  if (missing !== undefined) return `waiting: ${missing}`;
  const left = plan.warmupSeconds * 1000 - (now - state.startedAt);
  return `warming up: the first ${percent(plan.steps[0].share)} in ${formatDuration(left)}`;
}

/** What a step of the ramp waits for. */
export function ramping(look: Look): string {
  const { plan, state, observation: { now }, evidence } = look;
  const { share, seconds } = plan.steps[state.step];
  const left = seconds * 1000 - (now - state.stepAt), last = state.step === plan.steps.length - 1;
  const head = `serving ${percent(share)} (step ${state.step + 1} of ${plan.steps.length})`;
  const said = `evidence against it ${formatEvidence(strongest(look))} of ${
    formatCount(evidence.needed)
  }`;
  if (left <= 0) return `${head}, waiting: ${tooFew(look)}; ${said}`;
  const next = last ? "promotion is looked at" : `${percent(plan.steps[state.step + 1].share)}`;
  return `${head}: ${evidence.canaryRequests} canary requests; ${said}; ${next} in ${
    formatDuration(left)
  }`;
}

/** What a hold waits for, and when it ends. */
export function holding(look: Look): string {
  const { plan, state, observation: { now }, evidence } = look;
  const left = Math.max(0, plan.holdSeconds * 1000 - (now - (state.holdAt ?? now)));
  return `holding at ${percent(plan.steps[state.step].share)}: ${holdReason(look)}; ` +
    `evidence against it ${formatEvidence(strongest(look))} of ${formatCount(evidence.needed)}; ` +
    `a person is asked in ${formatDuration(left)}`;
}

/** The evidence at the moment of a decision that was not its own. */
export function byHand(evidence: Evidence): string {
  const log = Math.max(evidence.logImmediate, evidence.logLabels);
  return `evidence against it was ${formatEvidence(log)} of ${formatCount(evidence.needed)} ` +
    `after ${evidence.canaryRequests} canary requests`;
}

/** The sentence of a rollout that ended earlier. */
export function ended(phase: Phase): string {
  return phase.replace("_", " ");
}

function holdReason(look: Look): string {
  const { state, evidence, observation } = look;
  if (state.holdReason === "isolate_deaths") {
    const deaths = sumOf(observation.totals, "canary", "isolate_deaths");
    const stable = sumOf(observation.totals, "stable", "isolate_deaths");
    return `isolates died under the canary (${plural(deaths, "death")} in ` +
      `${
        plural(evidence.canaryRequests, "request")
      }; stable ${stable} in ${evidence.stableRequests})`;
  }
  if (state.holdReason === "sample_ratio") {
    return `the evidence is not trustworthy: ${evidence.canaryRequests} canary and ` +
      `${evidence.stableRequests} stable requests were counted, which does not fit the shares`;
  }
  if (state.holdReason === "label_ratio") {
    const [canary, stable] = (["canary", "stable"] as const).map((arm) =>
      sumOf(observation.totals, arm, "labelled")
    );
    return `labels do not compare the versions: ${canary} canary and ${stable} stable requests were ` +
      `labelled, which does not fit the shares (can answers of both be labelled alike? ` +
      `otherwise plan with labels "ignored")`;
  }
  const missing = evidence.metrics.filter(({ shown }) => shown === false);
  if (missing.length === 0) return tooFew(look);
  return missing.map((metric) => missingMetric(look, metric)).join(", ");
}

/**
 * e.g. "errors are not shown to be no worse yet (needs ~26 more error events, 40 min of traffic)"
 */
function missingMetric(
  look: Look,
  { metric, canary, stable, logNotWorse }: MetricEvidence,
): string {
  const { plan, state } = look, name = metricName(metric);
  const trials = canary.trials + stable.trials, events = canary.events + stable.events;
  if (trials === 0) {
    return metric === "labels"
      ? "no label has arrived"
      : `no request was counted for the ${name} test`;
  }
  const margin = marginOf(plan, metric, true)!;
  const count = eventsToPromote({
    share: plan.steps[state.step].share,
    margin: margin.ratio,
    beta: plan.beta,
    logValue: logNotWorse ?? 0,
  });
  const time = timeFor(look, count, events);
  return `the ${name} rate is not yet shown to be within the margin ` +
    `(needs ~${count} more ${name} events${time}${margin.difference ? ", or more requests" : ""})`;
}

function tooFew(look: Look): string {
  const { plan, state, observation: { now, totals, replicas } } = look;
  const missing = replicasMissing(replicas);
  if (missing !== undefined) return missing;
  const { requests } = totals[state.step].canary;
  return `${requests} canary requests in ${formatDuration(now - state.stepAt)}, ` +
    `${plan.canaryRequestsMin} are needed`;
}

function replicasMissing(replicas: Look["observation"]["replicas"]): string | undefined {
  if (replicas.settled === false) return "listening for replicas after a start";
  if (replicas.live === 0) return "no live replica serves this model";
  if (replicas.warm === replicas.live) return undefined;
  const errors = replicas.errors.length === 0 ? "" : ` (${replicas.errors.slice(0, 3).join("; ")})`;
  return `the canary is warm on ${replicas.warm} of ${replicas.live} live replicas${errors}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function timeFor({ state, observation: { now } }: Look, count: number, events: number): string {
  const elapsed = now - (state.rampedAt ?? now);
  if (events === 0 || elapsed <= 0) return "";
  return `, ${formatDuration(count * elapsed / events)} at this traffic`;
}

/** @returns about how many more bad events would roll the canary back, if its ratio stays */
export function eventsUntilRollback(
  plan: RolloutPlan,
  step: number,
  ratio: number,
  logValue: number,
): number | undefined {
  const { share } = plan.steps[step];
  const count = eventsToRollBack({ share, ratio, alpha: plan.alpha / 2, logValue });
  return Number.isFinite(count) ? count : undefined;
}

function servedFor({ state, observation: { now }, evidence }: Look): string {
  return `${formatDuration(now - (state.rampedAt ?? now))} and ` +
    plural(evidence.canaryRequests, "canary request");
}

function strongest({ evidence }: Look): number {
  return Math.max(evidence.logImmediate, evidence.logLabels);
}

function formatEvidence(log: number): string {
  const value = Math.exp(log);
  if (log > 20) return `10^${Math.floor(log / Math.LN10)}`;
  return value < 10 ? value.toFixed(1) : String(Math.floor(value));
}

function formatCount(value: number): string {
  return String(Math.round(value));
}

function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return "∞";
  return ratio >= 10 ? formatCount(ratio) : ratio.toFixed(2);
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}
