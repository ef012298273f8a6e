import { PORTS } from "../manifests/names.ts";

/**
 * A `prometheus.yml` for processes at known addresses. On Kubernetes the component `service-monitor` says
 * the same to the Prometheus operator.
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
