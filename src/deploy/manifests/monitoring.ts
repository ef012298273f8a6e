import { NAMES, selectorOf } from "./names.ts";
import type { PodMonitor, ServiceMonitor } from "./object_shape.ts";
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
