import {
  alertmanagerConfig,
  dashboardFiles,
  ruleFile,
  ruleTestFile,
  scrapeConfig,
} from "../monitoring/mod.ts";
import { NAMES, selectorOf } from "./names.ts";
import type { ConfigMap, PodMonitor, PrometheusRule, ServiceMonitor } from "./object_shape.ts";
import { metadataOf } from "./pod_parts.ts";
import type { ManifestSettings } from "./settings.ts";

/**
 * What the Prometheus operator scrapes. The registry is found by its Service; serving and controller by
 * their pods, because their admin ports are in no Service, and because a replica that is not ready has
 * the more to tell.
 */
export function monitors(settings: ManifestSettings): (ServiceMonitor | PodMonitor)[] {
  const interval = `${settings.monitoring.intervalSeconds}s`;
  const podMonitor = (part: "serving" | "controller"): PodMonitor => ({
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PodMonitor",
    metadata: metadataOf(NAMES[part], settings, part),
    spec: {
      selector: { matchLabels: selectorOf(part) },
      podMetricsEndpoints: [{ port: "admin", path: "/metrics", interval }],
    },
  });
  return [
    {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "ServiceMonitor",
      metadata: metadataOf(NAMES.registry, settings, "registry"),
      spec: {
        selector: { matchLabels: selectorOf("registry") },
        endpoints: [{ port: "http", path: "/metrics", interval }],
      },
    },
    podMonitor("serving"),
    podMonitor("controller"),
  ];
}

/** The alerts as the Prometheus operator reads them. */
export function prometheusRule(settings: ManifestSettings): PrometheusRule {
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: metadataOf(NAMES.alerts, settings),
    spec: ruleFile({ settings: settings.monitoring }),
  };
}

/** A ConfigMap a dashboard, with the label and the folder that Grafana's sidecar looks for. */
export function dashboardMaps(settings: ManifestSettings): ConfigMap[] {
  return dashboardFiles().map(({ name, text }) => {
    const metadata = metadataOf(`${NAMES.dashboard}-${name}`, settings, undefined, {
      grafana_folder: "serin",
    });
    return {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { ...metadata, labels: { ...metadata.labels, grafana_dashboard: "1" } },
      data: { [`serin-${name}.json`]: text },
    };
  });
}

/** Files for a Prometheus and an Alertmanager that no operator configures, by name. */
export function prometheusFiles(settings: ManifestSettings): ReadonlyMap<string, unknown> {
  const { monitoring } = settings;
  return new Map<string, unknown>([
    ["rules.yaml", ruleFile({ settings: monitoring })],
    ["rules_test.yaml", ruleTestFile(monitoring)],
    ["alertmanager.yaml", alertmanagerConfig(monitoring)],
    ["prometheus.yaml", scrapeConfig(monitoring.intervalSeconds)],
  ]);
}
