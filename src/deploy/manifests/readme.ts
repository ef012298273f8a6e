import { GENERATED } from "./kustomize_files.ts";
import { type Overlay, OVERLAY_SETTINGS, OVERLAYS } from "./overlays.ts";
import { listSettings, resolveSettings, type Setting } from "./set_values.ts";

const INTRODUCTION = [
  "# serin on Kubernetes: manifests",
  "",
  "Everything here is made by `serin manifests render --output DIR`: do not edit it, set values and",
  "render again, or put a kustomization of your own on top.",
  "",
  "| folder | what |",
  "| --- | --- |",
  "| `base/` | every object, with the default settings |",
  "| `overlays/dev/` | small: one replica, little memory, replicas come and go fast |",
  "| `overlays/production/` | three replicas or more, over zones; larger volumes and resources |",
  "| `components/hpa-inflight-adapter/` | autoscaling on requests in flight, by prometheus-adapter |",
  "| `components/hpa-inflight-keda/` | the same by KEDA |",
  "| `components/retrain/` | `serin retrain serve`, and replicas that send it what they log |",
  "| `components/service-monitor/` | what the Prometheus operator scrapes |",
  "| `components/prometheus-rule/` | the alerts, for the Prometheus operator |",
  "| `components/grafana-dashboards/` | the dashboards as ConfigMaps, for Grafana's sidecar |",
  "| `prometheus/` | without the operator: `rules.yaml`, its tests, and examples of `prometheus.yaml`, `prometheus-kubernetes.yaml` (finds the pods) and `alertmanager.yaml` |",
  "",
  "## Use",
  "",
  "The Secret with the tokens is never part of the manifests (`webhook-token`, Alertmanager's, is",
  "wanted only with the component `retrain`):",
  "",
  "```sh",
  "kubectl create namespace serin",
  "umask 077",
  "for token in admin-token replica-token webhook-token; do",
  "  openssl rand -hex 32 | tr -d '\\n' > $token",
  "done",
  "kubectl create secret generic serin-tokens --namespace serin \\",
  "  --from-file=admin-token --from-file=replica-token --from-file=webhook-token",
  "kubectl apply --server-side -k overlays/production",
  "```",
  "",
  "or, without this folder, `serin manifests render --overlay production | kubectl apply",
  "--server-side -f -`; `serin deploy apply` does all of it and waits until serin is healthy.",
  "",
  "An installation of your own names overlay, components and image:",
  "",
  "```yaml",
  "resources: [serin/manifests/overlays/production]",
  "components:",
  "- serin/manifests/components/service-monitor",
  "- serin/manifests/components/prometheus-rule",
  "images: [{ name: serin, newName: registry.example/serin, newTag: 1.0.0 }]",
  "```",
  "",
  "## Good to know",
  "",
  "- The Deployment `serin-serving` has neither `replicas` nor `args` here: the autoscaler owns the",
  "  one, `serin controller` the other.",
  "- The registry is one replica: its database, SQLite, has a single writer. Its volume stays when",
  "  the StatefulSet is deleted. Kubernetes refuses a change of `registry.storage`, and so a change",
  "  from one overlay to another, of an installed registry: enlarge the claim",
  "  `data-serin-registry-0`, then `kubectl delete statefulset serin-registry --cascade=orphan`, then",
  "  apply. The data stay where they are.",
  "- A network policy shuts every pod off; others open what serin needs. kubectl's and serin's way",
  "  through the API server's service proxy needs `network.apiServerCidrs` where policies are",
  "  enforced; `kubectl port-forward` always works. Cluster DNS is expected at port 53 of the pods",
  "  labelled `k8s-app: kube-dns` in `kube-system` and of `network.dnsCidrs`.",
  "- The component `hpa-inflight-adapter` has the rule as a ConfigMap; add it to the rules of the",
  "  installed prometheus-adapter.",
  "- `promtool test rules prometheus/rules_test.yaml` shows for each alert that it fires, and that it",
  "  does not when it should not; `docs/alerts.md` of serin says what each one means.",
  "- Training reads the volume `serin-training-data`, which you fill. The CronJob `serin-train` is a",
  "  template: the controller makes Jobs of it on request. `--set training.job=true` adds a Job that",
  "  trains at once, `--set training.suspend=false` trains by the clock.",
  "- `retrain.enabled` and the component `retrain` need the ConfigMap `serin-retrain`, which is yours:",
  "  `kubectl create configmap serin-retrain --namespace serin --from-file=retrain.yaml` and with",
  "  `--from-file` each file that it names. `serin-retrain` starts again to read a changed one. Its",
  "  volume `serin-retrain-data` is never removed by `serin deploy`.",
];

/** The README of the tree, with every setting. */
export function renderReadme(): string {
  const defaults = resolveSettings([]);
  const rows = listSettings().map((setting) => settingRow(setting, defaults));
  return [
    `<!-- ${GENERATED} -->`,
    "",
    ...INTRODUCTION,
    "",
    "## Settings",
    "",
    "`--set KEY=VALUE` of `serin manifests render` and `serin deploy`; lists are `a,b` or a JSON array.",
    "",
    `| key | base | ${OVERLAYS.slice(1).join(" | ")} | what |`,
    `| --- | --- | ${OVERLAYS.slice(1).map(() => "---").join(" | ")} | --- |`,
    ...rows,
    "",
  ].join("\n");
}

function settingRow(setting: Setting, defaults: unknown): string {
  const own = (overlay: Overlay) => valueAt(OVERLAY_SETTINGS[overlay], setting.key);
  const values = [valueAt(defaults, setting.key), own("dev"), own("production")].map(cell);
  const choices = setting.choices === undefined ? "" : ` (${setting.choices.join(", ")})`;
  return `| \`${setting.key}\` | ${values.join(" | ")} | ${setting.description}${choices} |`;
}

function valueAt(tree: unknown, key: string): unknown {
  let found = tree;
  for (const part of key.split(".")) found = (found as Record<string, unknown> | undefined)?.[part];
  return found;
}

function cell(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return "";
  return Array.isArray(value) ? `\`${value.join(",")}\`` : `\`${value}\``;
}
