import { addDriftMetrics, type DriftBook } from "../monitor/mod.ts";
import {
  addInferenceMetrics,
  addLabelMetrics,
  addProcessMetrics,
  type LabelCounts,
  type Metrics,
} from "../telemetry/mod.ts";
import type { FollowedModel } from "./followed_model.ts";
import type { IsolatePool } from "./isolate_pool.ts";
import type { SyncLoop } from "./sync_loop.ts";

/** Declares what a serving process tells on `/metrics`. */
export function addServingMetrics(
  metrics: Metrics,
  sources: {
    pool: IsolatePool;
    drift: DriftBook;
    sync: SyncLoop;
    followed: readonly FollowedModel[];
    labels: LabelCounts;
    ready: () => boolean;
    draining: () => boolean;
  },
): void {
  const { pool, drift, sync, followed, labels, ready, draining } = sources;
  const one = (value: number) => [{ labels: {}, value }];
  addProcessMetrics(metrics, "serve");
  addInferenceMetrics(metrics, () => pool.stats.total());
  addDriftMetrics(metrics, () => drift.drifts());
  addLabelMetrics(metrics, labels);
  metrics.gauge({
    name: "serin_ready",
    help: "1 when every model is warm and every data isolate answers",
    labels: [],
  }, () => one(ready() ? 1 : 0));
  metrics.gauge({
    name: "serin_draining",
    help: "1 from the signal to end on: not ready, answering what is in flight",
    labels: [],
  }, () => one(draining() ? 1 : 0));
  metrics.gauge({
    name: "serin_inflight_requests",
    help: "Inference requests that run or wait for their turn",
    labels: [],
  }, () => one(pool.inflight));
  metrics.counter({
    name: "serin_isolate_restarts_total",
    help: "Data isolates that died or hung and were replaced",
    labels: [],
  }, () => one(pool.restarts));
  metrics.gauge({
    name: "serin_registry_reachable",
    help: "1 when the last sync was answered",
    labels: [],
  }, () => one(sync.reachable ? 1 : 0));
  metrics.gauge({
    name: "serin_registry_sync_age_seconds",
    help: "Time since the registry last answered",
    labels: [],
  }, () => sync.ageSeconds === undefined ? [] : one(sync.ageSeconds));
  metrics.gauge({
    name: "serin_version_unservable",
    help: "1 for a version that this replica is to hold and cannot serve",
    labels: ["model", "model_version"],
  }, () => followed.flatMap(failedOf));
  metrics.gauge({
    name: "serin_traffic_share_ratio",
    help: "Share of a model's traffic that a version gets on this replica",
    labels: ["model", "model_version"],
  }, () => followed.flatMap(sharesOf));
}

function failedOf({ name: model, held }: FollowedModel) {
  return held.report().filter(({ error }) => error !== undefined).map(({ version }) => ({
    labels: { model, model_version: version },
    value: 1,
  }));
}

function sharesOf({ name: model, route }: FollowedModel) {
  const sample = (version: string, value: number) => ({
    labels: { model, model_version: version },
    value,
  });
  const { stable, assignment } = route;
  if (assignment !== null) {
    return [
      sample(assignment.stable, 1 - assignment.share),
      sample(assignment.canary, assignment.share),
    ];
  }
  return stable === null ? [] : [sample(stable, 1)];
}
