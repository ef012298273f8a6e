import { type Part, PORTS } from "../manifests/names.ts";

/**
 * A `prometheus.yml` for processes at known addresses. On Kubernetes {@linkcode kubernetesScrapeConfig}
 * says the same, and the component `service-monitor` to the Prometheus operator.
 */
export function scrapeConfig(intervalSeconds: number): unknown {
  const job = (name: string, port: number) => ({
    job_name: name,
    static_configs: [{ targets: [`localhost:${port}`] }],
  });
  return {
    global: { scrape_interval: `${intervalSeconds}s`, evaluation_interval: "15s" },
    rule_files: ["rules.yaml"],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ["localhost:9093"] }] }] },
    scrape_configs: [
      job("serin-registry", PORTS.registry.http),
      job("serin-serving", PORTS.serving.admin),
    ],
  };
}

/** The port of each part that has `/metrics`, by its name; a training Job has none. */
export const SCRAPED_PORTS = {
  registry: "http",
  serving: "admin",
  controller: "admin",
  retrain: "http",
} as const satisfies Partial<Record<Part, string>>;

/** What {@linkcode kubernetesScrapeConfig} is made of. */
export interface KubernetesScraping {
  /** Of serin's pods. */
  readonly namespace: string;
  readonly intervalSeconds: number;
  /** How often rules are asked; default 15. */
  readonly evaluationSeconds?: number;
  /** `HOST:PORT` of each. */
  readonly alertmanagers: readonly string[];
  /** Default `rules.yaml`, beside the configuration. */
  readonly ruleFiles?: readonly string[];
  /**
   * Where the pods are learnt from; default the API server, with the account of Prometheus' own pod.
   * Outside of the cluster `{ kubeconfig_file: … }`, or `file_sd_configs` with the same labels.
   */
  readonly discovery?: Readonly<Record<string, unknown>>;
}

/**
 * A `prometheus.yml` for a Prometheus in a cluster that no operator configures. Pods are found by their
 * labels and port names, ready or not: what the PodMonitors say to the operator.
 */
export function kubernetesScrapeConfig(options: KubernetesScraping): unknown {
  const { namespace, intervalSeconds, evaluationSeconds = 15, alertmanagers } = options;
  const ports = Object.entries(SCRAPED_PORTS).map(([part, port]) => `${part};${port}`).join("|");
  const pod = (name: string) => `__meta_kubernetes_pod_${name}`;
  const component = pod("label_app_kubernetes_io_component");
  return {
    global: {
      scrape_interval: `${intervalSeconds}s`,
      evaluation_interval: `${evaluationSeconds}s`,
    },
    rule_files: options.ruleFiles ?? ["rules.yaml"],
    alerting: { alertmanagers: [{ static_configs: [{ targets: alertmanagers }] }] },
    scrape_configs: [{
      job_name: "serin",
      ...(options.discovery ?? {
        kubernetes_sd_configs: [{
          role: "pod",
          namespaces: { names: [namespace] },
          selectors: [{ role: "pod", label: "app.kubernetes.io/name=serin" }],
        }],
      }),
      relabel_configs: [
        {
          source_labels: [pod("label_app_kubernetes_io_name"), pod("phase")],
          regex: "serin;(Pending|Running)",
          action: "keep",
        },
        { source_labels: [component, pod("container_port_name")], regex: ports, action: "keep" },
        { source_labels: [component], replacement: "serin-$1", target_label: "job" },
        { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
        { source_labels: [pod("name")], target_label: "pod" },
      ],
    }],
  };
}
