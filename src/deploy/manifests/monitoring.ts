import {
  alertmanagerConfig,
  dashboardFiles,
  kubernetesScrapeConfig,
  type Receivers,
  ruleFile,
  ruleTestFile,
  scrapeConfig,
} from "../monitoring/mod.ts";
import { NAMES, PORTS, selectorOf } from "./names.ts";
import type { ConfigMap, PodMonitor, PrometheusRule, ServiceMonitor } from "./object_shape.ts";
import { metadataOf } from "./pod_parts.ts";
import type { ManifestSettings } from "./settings.ts";

/**
 * What the Prometheus operator scrapes. The registry is found by its Service; the others by their
 * pods, because admin ports are in no Service, and because a replica that is not ready has the more to
 * tell. What retrains has its PodMonitor whether it is there or not, so that kustomize's component of
 * the one does not depend on that of the other.
 */
export function monitors(settings: ManifestSettings): (ServiceMonitor | PodMonitor)[] {
  const interval = `${settings.monitoring.intervalSeconds}s`;
  const podMonitor = (part: "serving" | "controller" | "retrain", port: string): PodMonitor => ({
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PodMonitor",
    metadata: metadataOf(NAMES[part], settings, part),
    spec: {
      selector: { matchLabels: selectorOf(part) },
      podMetricsEndpoints: [{ port, path: "/metrics", interval }],
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
    podMonitor("serving", "admin"),
    podMonitor("controller", "admin"),
    podMonitor("retrain", "http"),
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

/** Who is told, where no address is set: Alertmanager is in another namespace, as a rule. */
function receiversOf({ namespace, monitoring, retrain }: ManifestSettings): Receivers {
  const host = retrain.enabled ? `${NAMES.retrain}.${namespace}.svc` : "localhost";
  const tokenFile = retrain.enabled ? "/etc/alertmanager/secrets/serin-retrain/token" : undefined;
  return {
    pageUrl: monitoring.pageUrl,
    ticketUrl: monitoring.ticketUrl,
    retrainUrl: monitoring.retrainUrl ?? `http://${host}:${PORTS.retrain.http}/v1/alerts`,
    retrainTokenFile: monitoring.retrainTokenFile ?? tokenFile,
  };
}

/** Files for a Prometheus and an Alertmanager that no operator configures, by name. */
export function prometheusFiles(settings: ManifestSettings): ReadonlyMap<string, unknown> {
  const { monitoring, namespace } = settings, { intervalSeconds, alertmanagers } = monitoring;
  return new Map<string, unknown>([
    ["rules.yaml", ruleFile({ settings: monitoring })],
    ["rules_test.yaml", ruleTestFile(monitoring)],
    ["alertmanager.yaml", alertmanagerConfig(receiversOf(settings))],
    ["prometheus.yaml", scrapeConfig(intervalSeconds)],
    [
      "prometheus-kubernetes.yaml",
      kubernetesScrapeConfig({ namespace, intervalSeconds, alertmanagers }),
    ],
  ]);
}
