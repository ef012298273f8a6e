import {
  AssignmentEvidence,
  combineEvidence,
  logNonInferiority,
  rateDifferenceUpper,
  type StepEvents,
} from "../../statistics/mod.ts";
import { OUTCOME, type RequestBatch, type RequestStream } from "./request_stream.ts";
import type { ReplaySettings } from "./scenario_file.ts";

/** How often promotion is looked at after the ramp's end, seconds. */
const PROMOTION_INTERVAL_S = 300;
/** With fewer warm-up requests the latency levels come from the stable table. */
const WARMUP_REQUESTS_MIN = 20;
const TWO32 = 4294967296;

/** What a replayed rollout came to. */
export interface ReplayOutcome {
  readonly decision: "rollback" | "promote" | "inconclusive";
  /** Seconds since the start, at the end of the deciding second. */
  readonly t: number;
  /** Requests that the canary served until then. */
  readonly canaryRequests: number;
  /** Bad requests among them, less those that the stable version would have served badly. */
  readonly badTotal: number;
  readonly reason: string;
  /** The combined immediate evidence at the decision, not its logarithm. */
  readonly e: number;
}

/**
 * Plays one stream through the reference rules: fixed schedule, strict null, looked at once a
 * second at its end, promotion looked at when the ramp ends and every 300 s after it.
 *
 * @param p99Us the 99th percentile of the stable latency table, microseconds: slower is bad
 */
export function replay(
  settings: ReplaySettings,
  stream: RequestStream,
  p99Us: number,
): ReplayOutcome {
  return new Replay(settings, stream, p99Us).run();
}

/** One bad event metric: its process, and its totals by step as [canary, stable]. */
class MetricTotals {
  readonly evidence: AssignmentEvidence;
  readonly canary: Float64Array;
  readonly stable: Float64Array;

  constructor(startWeights: readonly number[]) {
    this.evidence = new AssignmentEvidence(startWeights);
    this.canary = new Float64Array(startWeights.length);
    this.stable = new Float64Array(startWeights.length);
  }

  events(shares: readonly number[]): StepEvents[] {
    return shares.map((share, i) => ({ share, canary: this.canary[i], stable: this.stable[i] }));
  }
}

class Replay {
  readonly #settings: ReplaySettings;
  readonly #stream: RequestStream;
  readonly #p99Us: number;
  readonly #shares: readonly number[];
  /** The step of each second of the ramp; the last one goes on through the hold. */
  readonly #stepOf: Uint8Array;
  readonly #rampEnd: number;
  readonly #horizon: number;
  readonly #immediate: MetricTotals[];
  readonly #labels: MetricTotals;
  /** Wrong labels to arrive, by second, step of assignment and arm (stable, canary). */
  readonly #arriving: Uint32Array;
  #levels: Float64Array = new Float64Array(0);
  /** Events of the current second: errors and each latency level, canary's first. */
  readonly #canaryNow: Float64Array;
  readonly #stableNow: Float64Array;
  #canaryRequests = 0;
  #stableRequests = 0;
  #badTotal = 0;

  constructor(settings: ReplaySettings, stream: RequestStream, p99Us: number) {
    this.#settings = settings;
    this.#stream = stream;
    this.#p99Us = p99Us;
    this.#shares = settings.schedule.map(([share]) => share);
    this.#stepOf = Uint8Array.from(settings.schedule.flatMap(([, s], i) => Array(s).fill(i)));
    this.#rampEnd = this.#stepOf.length;
    this.#horizon = this.#rampEnd + settings.hold_s;
    const totals = () => new MetricTotals(settings.av.start_weights);
    this.#immediate = settings.av.weights.map(totals);
    this.#labels = totals();
    this.#arriving = new Uint32Array(stream.labels ? this.#horizon * this.#shares.length * 2 : 0);
    this.#canaryNow = new Float64Array(settings.av.weights.length);
    this.#stableNow = new Float64Array(settings.av.weights.length);
  }

  run(): ReplayOutcome {
    this.#warmUp();
    for (let time = 0; time < this.#horizon; time++) {
      const step = this.#stepOf[Math.min(time, this.#rampEnd - 1)];
      this.#serve(this.#stream.second(time), step);
      const events = this.#countEvents(step), labels = this.#countLabels(time, step);
      const rollback = events || labels ? this.#rollbackReason() : undefined;
      if (rollback !== undefined) return this.#outcome("rollback", time + 1, rollback);
      const late = time + 1 - this.#rampEnd;
      if (late >= 0 && late % PROMOTION_INTERVAL_S === 0 && this.#missing().length === 0) {
        const reason = "all metrics are shown non-inferior";
        return this.#outcome("promote", time + 1, reason);
      }
    }
    const reason = `not shown non-inferior by the end of the hold: ${this.#missing().join(", ")}`;
    return this.#outcome("inconclusive", this.#horizon, reason);
  }

  /** Fixes the latency levels from the stable version's warm-up. */
  #warmUp(): void {
    const latencies: number[] = [];
    for (let time = this.#stream.firstSecond; time < 0; time++) {
      const batch = this.#stream.second(time);
      for (let i = 0; i < batch.count; i++) latencies.push(batch.latencyStable[i]);
    }
    const sorted = Float64Array.from(latencies).sort(), n = sorted.length;
    this.#levels = Float64Array.from(
      this.#settings.av.lat_q,
      (q) => n < WARMUP_REQUESTS_MIN ? this.#p99Us : sorted[Math.min(n - 1, Math.trunc(q * n))],
    );
  }

  /** Reveals each request's outcome under the arm that its draw chose. */
  #serve(batch: RequestBatch, step: number): void {
    const share = this.#shares[step], canaryBelow = Math.floor(share * TWO32);
    const levels = this.#levels, canaryNow = this.#canaryNow, stableNow = this.#stableNow;
    canaryNow.fill(0);
    stableNow.fill(0);
    for (let i = 0; i < batch.count; i++) {
      const bits = batch.outcomes[i];
      if (batch.assignments[i] < canaryBelow) {
        this.#canaryRequests++;
        const latency = batch.latencyCanary[i];
        if (bits & OUTCOME.errorCanary) canaryNow[0]++;
        for (let q = 0; q < levels.length; q++) if (latency > levels[q]) canaryNow[q + 1]++;
        this.#badTotal += this.#badness(bits, latency, batch.latencyStable[i]);
      } else {
        this.#stableRequests++;
        const latency = batch.latencyStable[i];
        if (bits & OUTCOME.errorStable) stableNow[0]++;
        for (let q = 0; q < levels.length; q++) if (latency > levels[q]) stableNow[q + 1]++;
      }
    }
    if (this.#stream.labels) this.#announceLabels(batch, canaryBelow, step);
  }

  /** 1 for a request that only the canary serves badly, -1 for one that only stable would have. */
  #badness(bits: number, latencyCanary: number, latencyStable: number): number {
    const badCanary = (bits & (OUTCOME.errorCanary | OUTCOME.wrongCanary)) !== 0 ||
      latencyCanary > this.#p99Us;
    const badStable = (bits & (OUTCOME.errorStable | OUTCOME.wrongStable)) !== 0 ||
      latencyStable > this.#p99Us;
    return Number(badCanary) - Number(badStable);
  }

  #announceLabels(batch: RequestBatch, canaryBelow: number, step: number): void {
    for (let i = 0; i < batch.count; i++) {
      const bits = batch.outcomes[i], time = batch.labelTimes[i];
      if (!(bits & OUTCOME.labelled) || time >= this.#horizon) continue;
      const canary = batch.assignments[i] < canaryBelow;
      if (!(bits & (canary ? OUTCOME.wrongCanary : OUTCOME.wrongStable))) continue;
      this.#arriving[(time * this.#shares.length + step) * 2 + Number(canary)]++;
    }
  }

  /** @returns whether there was any event */
  #countEvents(step: number): boolean {
    let any = false;
    for (let m = 0; m < this.#immediate.length; m++) {
      const canary = this.#canaryNow[m], stable = this.#stableNow[m];
      if (canary === 0 && stable === 0) continue;
      any = true;
      const metric = this.#immediate[m];
      metric.canary[step] += canary;
      metric.stable[step] += stable;
      metric.evidence.add(step, { share: this.#shares[step], canary, stable });
    }
    return any;
  }

  /** Labels count with the share of their request, for the starts up to the arrival's step. */
  #countLabels(time: number, arrivalStep: number): boolean {
    let any = false;
    if (!this.#stream.labels) return any;
    for (let step = 0; step < this.#shares.length; step++) {
      const at = (time * this.#shares.length + step) * 2;
      const stable = this.#arriving[at], canary = this.#arriving[at + 1];
      if (canary === 0 && stable === 0) continue;
      any = true;
      this.#labels.canary[step] += canary;
      this.#labels.stable[step] += stable;
      this.#labels.evidence.add(arrivalStep, { share: this.#shares[step], canary, stable });
    }
    return any;
  }

  #logImmediate(): number {
    const logs = this.#immediate.map((metric) => metric.evidence.logValue());
    return combineEvidence(logs, this.#settings.av.weights);
  }

  #rollbackReason(): string | undefined {
    const { alpha } = this.#settings.av, needed = (this.#stream.labels ? 2 : 1) / alpha;
    const immediate = this.#logImmediate();
    if (immediate >= Math.log(needed)) {
      const strongest = this.#metricNames()[this.#strongest()];
      return `evidence ${linear(immediate).toFixed(0)} of ${needed} needed, mostly ${strongest}`;
    }
    const labels = this.#labels.evidence.logValue();
    if (this.#stream.labels && labels >= Math.log(2 / alpha)) {
      return `evidence ${linear(labels).toFixed(0)} of ${2 / alpha} needed, from wrong labels`;
    }
    return undefined;
  }

  #strongest(): number {
    const { weights } = this.#settings.av;
    const logs = this.#immediate.map((m, i) => Math.log(weights[i]) + m.evidence.logValue());
    return logs.indexOf(Math.max(...logs));
  }

  #metricNames(): string[] {
    return ["errors", ...this.#settings.av.lat_q.map((q) => `latency over p${q * 100}`)];
  }

  /** @returns the metrics that are not shown non-inferior */
  #missing(): string[] {
    const { av } = this.#settings, needed = Math.log(1 / av.beta), names = this.#metricNames();
    const shown = (metric: MetricTotals, margin: number) =>
      logNonInferiority(metric.events(this.#shares), margin) >= needed;
    const missing: string[] = [];
    if (!shown(this.#immediate[0], av.ni_err_ratio) && this.#errorDifference() > av.ni_err_abs) {
      missing.push(names[0]);
    }
    const latency = av.lat_q.indexOf(0.95) + 1;
    if (!shown(this.#immediate[latency], av.ni_lat_ratio)) missing.push(names[latency]);
    if (this.#stream.labels && !shown(this.#labels, av.ni_label_ratio)) {
      missing.push("wrong labels");
    }
    return missing;
  }

  #errorDifference(): number {
    const sum = (counts: Float64Array) => counts.reduce((total, count) => total + count, 0);
    return rateDifferenceUpper({
      canaryEvents: sum(this.#immediate[0].canary),
      canaryTrials: this.#canaryRequests,
      stableEvents: sum(this.#immediate[0].stable),
      stableTrials: this.#stableRequests,
    }, this.#settings.av.beta);
  }

  #outcome(decision: ReplayOutcome["decision"], t: number, reason: string): ReplayOutcome {
    return {
      decision,
      t,
      canaryRequests: this.#canaryRequests,
      badTotal: this.#badTotal,
      reason,
      e: linear(this.#logImmediate()),
    };
  }
}

/** JSON has no Infinity. */
function linear(log: number): number {
  return Math.min(Math.exp(log), Number.MAX_VALUE);
}
