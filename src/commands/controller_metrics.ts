import { type Controller, PARTS, RECONCILE_SECONDS } from "../controller/mod.ts";
import type { Metrics } from "../telemetry/mod.ts";

/** `serin_controller_*`: how the controller works. */
export function addControllerMetrics(metrics: Metrics, controller: Controller): void {
  const parts = () => {
    const { parts } = controller.stats();
    return PARTS.map((part) => ({ labels: { part }, stats: parts.get(part)! }));
  };
  const flag = (name: string, help: string, read: () => boolean) =>
    metrics.gauge({ name, help, labels: [] }, () => [{ labels: {}, value: read() ? 1 : 0 }]);
  metrics.counter({
    name: "serin_controller_reconcile_total",
    help: "Looks at a part of the work: rollouts, deployments, training",
    labels: ["part"],
  }, () => parts().map(({ labels, stats }) => ({ labels, value: stats.runs })));
  metrics.counter({
    name: "serin_controller_reconcile_errors_total",
    help: "Looks that failed, at least for one object",
    labels: ["part"],
  }, () => parts().map(({ labels, stats }) => ({ labels, value: stats.errors })));
  metrics.histogram(
    {
      name: "serin_controller_reconcile_duration_seconds",
      help: "How long a look took",
      labels: ["part"],
    },
    RECONCILE_SECONDS,
    () => parts().map(({ labels, stats: { counts, seconds: sum } }) => ({ labels, counts, sum })),
  );
  flag(
    "serin_controller_leader",
    "1 where this process leads, and so is the one that writes",
    () => controller.stats().leads,
  );
  flag(
    "serin_controller_registry_reachable",
    "1 where the last look at the registry got an answer",
    () => controller.stats().registryReachable,
  );
}
