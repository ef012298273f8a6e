// deno-lint-ignore no-explicit-any -- pods, as the API server has them
type Pod = any;

/** A target group as Prometheus' `file_sd_configs` reads it. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * What Prometheus' discovery of pods (`kubernetes_sd_configs`, role `pod`) makes of them, as far as
 * serin's scrape configuration asks: Debian's Prometheus is built without it, so a file of these stands in
 * its place, before the same relabelling.
 */
export function podTargets(pods: readonly Pod[]): TargetGroup[] {
  return pods.flatMap((pod) => {
    const { metadata: { name, namespace, labels = {} }, spec, status: { podIP, phase } } = pod;
    if (!podIP) return [];
    const own = Object.entries(labels).map(([key, value]) => [
      `__meta_kubernetes_pod_label_${key.replaceAll(/[^\w]/g, "_")}`,
      value as string,
    ]);
    const base = {
      __meta_kubernetes_namespace: namespace,
      __meta_kubernetes_pod_name: name,
      __meta_kubernetes_pod_ip: podIP,
      __meta_kubernetes_pod_phase: phase,
      ...Object.fromEntries(own),
    };
    return spec.containers.flatMap((container: Pod): TargetGroup[] => {
      const labels = { ...base, __meta_kubernetes_pod_container_name: container.name };
      // A container without ports is a target too, without a port.
      if ((container.ports ?? []).length === 0) return [{ targets: [podIP], labels }];
      return container.ports.map(({ name = "", containerPort }: Pod) => ({
        targets: [`${podIP}:${containerPort}`],
        labels: {
          ...labels,
          __meta_kubernetes_pod_container_port_name: name,
          __meta_kubernetes_pod_container_port_number: `${containerPort}`,
        },
      }));
    });
  });
}
