import { bars, CHOSEN, CHOSEN_PLACE, lines, makeDashboard, number } from "./panels.ts";

const RATE = "[$__rate_interval]";
const requests = `serin_inference_requests_total{${CHOSEN}}${RATE}`;
const errors = `serin_inference_errors_total{${CHOSEN}}${RATE}`;
const VERSION = "{{model}} v{{model_version}}";

/** A part of the requests, 0 before the first error. */
function errorRatio(by: string): string {
  const all = `sum ${by}(rate(${requests}))`;
  return `(sum ${by}(rate(${errors})) or 0 * ${all}) / ${all}`;
}

function quantile(q: number, by: string): string {
  const buckets = `serin_inference_duration_seconds_bucket{${CHOSEN}}${RATE}`;
  return `histogram_quantile(${q}, sum by (${by}le) (rate(${buckets})))`;
}

/** Is the service there, fast and right? */
export const service = makeDashboard({
  name: "service",
  title: "service",
  description: "Requests, errors, latency, error budgets and replicas of serin serve.",
  modelsOf: "serin_inference_requests_total",
  rows: [
    ["Now", [
      number({
        title: "Requests",
        description: "Requests a second that versions answered or failed.",
        unit: "reqps",
        queries: [{ expr: `sum(rate(${requests}))`, legend: "requests" }],
      }),
      number({
        title: "Failed",
        description: "Part of the requests that failed. The objective is 0.1 % in 30 days.",
        unit: "percentunit",
        decimals: 2,
        limits: [[0.001, "orange"], [0.0144, "red"]],
        queries: [{ expr: errorRatio(""), legend: "failed" }],
      }),
      number({
        title: "Latency p99",
        description: "99 of 100 requests take less, without the transport.",
        unit: "s",
        limits: [[0.1, "orange"], [0.5, "red"]],
        queries: [{ expr: quantile(0.99, ""), legend: "p99" }],
      }),
      number({
        title: "Replicas ready",
        description: "Replicas whose models are warm and whose data isolates answer.",
        unit: "none",
        queries: [{ expr: `sum(serin_ready{${CHOSEN_PLACE}})`, legend: "ready" }],
      }),
      number({
        title: "In flight",
        description: "Requests that run or wait for their turn, all replicas. A data isolate " +
          "answers 429 above 1,024.",
        unit: "none",
        limits: [[256, "orange"], [512, "red"]],
        queries: [{
          expr: `sum(serin_inflight_requests{${CHOSEN_PLACE}})`,
          legend: "in flight",
        }],
      }),
      number({
        title: "Registry reachable",
        description: "Part of the replicas whose last sync was answered.",
        unit: "percentunit",
        queries: [{ expr: `avg(serin_registry_reachable{${CHOSEN_PLACE}})`, legend: "reachable" }],
      }),
    ]],
    ["Requests", [
      lines({
        title: "Requests by version",
        description: "Requests a second by the version that answered.",
        unit: "reqps",
        min: 0,
        queries: [{
          expr: `sum by (model, model_version) (rate(${requests}))`,
          legend: VERSION,
        }],
      }),
      lines({
        title: "Failed by version",
        description: "Part of a version's requests that it failed; the caller's own faults are " +
          "left out. The line is the objective.",
        unit: "percentunit",
        min: 0,
        limits: [[0.001, "orange"]],
        queries: [{ expr: errorRatio("by (model, model_version) "), legend: VERSION }],
      }),
      lines({
        title: "Answers by status code",
        description: "HTTP answers a second: 400 is the caller's fault, 429 says that a replica " +
          "is full, 5xx is serin's fault.",
        unit: "reqps",
        min: 0,
        stacked: true,
        queries: [{
          expr: `sum by (code) (rate(serin_http_responses_total{${CHOSEN_PLACE}}${RATE}))`,
          legend: "{{code}}",
        }],
      }),
      lines({
        title: "Traffic share by version",
        description: "Share of a model's traffic that replicas give to each version, their mean.",
        unit: "percentunit",
        min: 0,
        max: 1,
        steps: true,
        queries: [{
          expr: `avg by (model, model_version) (serin_traffic_share_ratio{${CHOSEN}})`,
          legend: VERSION,
        }],
      }),
    ]],
    ["Latency", [
      lines({
        title: "Latency of all",
        description:
          "What half, 95 and 99 of 100 requests stay below. The line is the objective's " +
          "100 ms.",
        unit: "s",
        min: 0,
        limits: [[0.1, "orange"]],
        queries: [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, ""), legend: `p${q * 100}` })),
      }),
      lines({
        title: "Latency p95 by version",
        description: "A version that is slower than the others shows here.",
        unit: "s",
        min: 0,
        queries: [{ expr: quantile(0.95, "model, model_version, "), legend: VERSION }],
      }),
    ]],
    ["Error budgets", [
      lines({
        title: "Availability: failed requests over time windows",
        description: "The alerts' own windows. 1.44 % over 1 h (14.4 times the budget) and 0.6 % " +
          "over 6 h page, 0.1 % over 3 d is a ticket.",
        unit: "percentunit",
        min: 0,
        queries: ["5m", "1h", "6h", "3d"].map((window) => ({
          expr: `model:serin_inference_errors:ratio_rate${window}{${CHOSEN}}`,
          legend: `{{model}} ${window}`,
        })),
      }),
      lines({
        title: "Latency: slow requests over time windows",
        description: "Requests beyond the objective's limit. 14.4 % over 1 h and 6 % over 6 h " +
          "page, 1 % over 3 d is a ticket.",
        unit: "percentunit",
        min: 0,
        queries: ["5m", "1h", "6h", "3d"].map((window) => ({
          expr: `model:serin_inference_slow:ratio_rate${window}{${CHOSEN}}`,
          legend: `{{model}} ${window}`,
        })),
      }),
    ]],
    ["Replicas", [
      lines({
        title: "In flight by replica",
        description: "Requests that run or wait in a replica. The line is where the alert is.",
        unit: "none",
        min: 0,
        limits: [[512, "red"]],
        queries: [{
          expr: `serin_inflight_requests{${CHOSEN_PLACE}}`,
          legend: "{{instance}}",
        }],
      }),
      lines({
        title: "Memory by process",
        description: "Resident memory of a process.",
        unit: "bytes",
        min: 0,
        queries: [{
          expr: `serin_process_resident_memory_bytes{${CHOSEN_PLACE}}`,
          legend: "{{job}} {{instance}}",
        }],
      }),
      bars({
        title: "Data isolates replaced",
        description: "Isolates that died or hung since their replica started. Three in an hour " +
          "are a ticket.",
        unit: "none",
        decimals: 0,
        min: 0,
        max: 5,
        height: 6,
        limits: [[1, "orange"], [3, "red"]],
        queries: [{
          expr: `serin_isolate_restarts_total{${CHOSEN_PLACE}}`,
          legend: "{{instance}}",
        }],
      }),
      bars({
        title: "Since the last sync",
        description: "Time since the registry last answered a replica. Above some seconds it is " +
          "out of reach.",
        unit: "s",
        decimals: 1,
        min: 0,
        max: 30,
        height: 6,
        limits: [[5, "orange"], [15, "red"]],
        queries: [{
          expr: `serin_registry_sync_age_seconds{${CHOSEN_PLACE}}`,
          legend: "{{instance}}",
        }],
      }),
    ]],
  ],
});
