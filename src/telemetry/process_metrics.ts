import { VERSION } from "../core/mod.ts";
import type { Metrics } from "./metrics.ts";

/** What every serin process tells of itself. */
export function addProcessMetrics(metrics: Metrics, component: string): void {
  const started = Date.now() / 1000 - performance.now() / 1000;
  metrics.gauge({
    name: "serin_build_info",
    help: "Version of serin and of Deno; always 1",
    labels: ["serin_version", "deno_version", "component"],
  }, () => [{
    labels: { serin_version: VERSION, deno_version: Deno.version.deno, component },
    value: 1,
  }]);
  metrics.gauge({
    name: "serin_process_start_time_seconds",
    help: "When the process started, seconds since the epoch",
    labels: [],
  }, () => [{ labels: {}, value: started }]);
  metrics.gauge({
    name: "serin_process_resident_memory_bytes",
    help: "Resident memory of the whole process",
    labels: [],
  }, () => [{ labels: {}, value: Deno.memoryUsage().rss }]);
}
