/**
 * The alerts through Prometheus' and Alertmanager's own tools: every rule is read, every case of every
 * alert comes out as it says, and each alert gets to the receiver that it is for.
 */
import { parse } from "yaml";
import {
  alertGroups,
  kubernetesScrapeConfig,
  RULE_TIMES,
  ruleFile,
  ruleTestFile,
  SCRAPED_PORTS,
} from "../src/deploy/monitoring/mod.ts";
import { manifestSettings, renderManifests } from "../src/deploy/mod.ts";
import { formatYaml } from "../src/config/mod.ts";
import { assertEquals, assertIncludes, assertTrue } from "../src/testing/mod.ts";
import { findAlertmanager, findPrometheus } from "./prometheus/find_prometheus.ts";
import { podTargets } from "./prometheus/pod_targets.ts";

const RENDERED = decodeURIComponent(new URL("../manifests/prometheus", import.meta.url).pathname);
const settings = manifestSettings().monitoring;
const alerts = alertGroups({ settings, times: RULE_TIMES }).flatMap(({ alerts }) => alerts);

const prometheus = await findPrometheus();
const alertmanager = await findAlertmanager();
const suffix = (found: object) => "missing" in found ? ` (skipped: ${found.missing})` : "";

Deno.test({
  name: `promtool reads the rules and the scrape configuration${suffix(prometheus)}`,
  ignore: "missing" in prometheus,
  async fn() {
    if ("missing" in prometheus) return;
    const rules = await runTool(prometheus.promtool, ["check", "rules", "rules.yaml"]);
    assertEquals(rules.code, 0, rules.output);
    const config = await runTool(prometheus.promtool, ["check", "config", "prometheus.yaml"]);
    assertEquals(config.code, 0, config.output);
    const pods = await runTool(prometheus.promtool, [
      "check",
      "config",
      "prometheus-kubernetes.yaml",
    ]);
    // Debian's is built without the discovery of pods: the test below puts a file in its place.
    const isBuiltWithout = pods.output.includes("field kubernetes_sd_configs not found");
    assertTrue(pods.code === 0 || isBuiltWithout, pods.output);
  },
});

Deno.test({
  name: `pods are scraped as the PodMonitors say, by their labels and ports${suffix(prometheus)}`,
  ignore: "missing" in prometheus,
  async fn() {
    if ("missing" in prometheus) return;
    const folder = await Deno.makeTempDir();
    try {
      const config = kubernetesScrapeConfig({
        ...{ namespace: "ml", intervalSeconds: 1, alertmanagers: ["localhost:9093"] },
        ...{ ruleFiles: [], discovery: { file_sd_configs: [{ files: ["pods.json"] }] } },
      });
      await Deno.writeTextFile(`${folder}/prometheus.yaml`, formatYaml([config]));
      const pods = [...podsOfManifests("ml"), ...podsOfOthers("ml")];
      await Deno.writeTextFile(`${folder}/pods.json`, JSON.stringify(podTargets(pods)));
      const args = ["check", "config", "prometheus.yaml"];
      const check = await runTool(prometheus.promtool, args, folder);
      assertEquals(check.code, 0, check.output);
      const found = await runTool(
        prometheus.promtool,
        ["check", "service-discovery", "--timeout=2s", "prometheus.yaml", "serin"],
        folder,
      );
      const scraped = (JSON.parse(found.stdout) as { labels: Record<string, string> }[])
        .filter(({ labels }) => Object.keys(labels).length > 0)
        .map(({ labels: { job, namespace, pod, __address__: address, __metrics_path__: path } }) =>
          [job, namespace, pod, address, path].join(" ")
        );
      assertEquals(scraped.toSorted(), [
        "serin-controller ml serin-controller-0 10.0.0.1:8082 /metrics",
        "serin-registry ml serin-registry-0 10.0.0.1:5000 /metrics",
        "serin-retrain ml serin-retrain-0 10.0.0.1:8083 /metrics",
        "serin-serving ml serin-serving-0 10.0.0.1:8081 /metrics",
      ]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("the operator's monitors name the same parts and ports", () => {
  const set = ["monitoring.monitors=true"];
  // deno-lint-ignore no-explicit-any -- as Kubernetes has it
  const monitors: any[] = renderManifests({ set }).filter(({ kind }) => /Monitor$/.test(kind));
  const named = monitors.map(({ spec: { selector, endpoints, podMetricsEndpoints } }) => [
    selector.matchLabels["app.kubernetes.io/component"],
    (podMetricsEndpoints ?? endpoints)[0].port,
  ]);
  assertEquals(Object.fromEntries(named), SCRAPED_PORTS);
});

/** A running pod of each workload; Jobs have ended. */
function podsOfManifests(namespace: string): unknown[] {
  const set = [`namespace=${namespace}`, "retrain.enabled=true", "training.job=true"];
  const objects = renderManifests({ set: [...set, "training.target=y"] });
  return objects.filter(({ kind }) => ["Deployment", "StatefulSet", "Job"].includes(kind)).map(
    // deno-lint-ignore no-explicit-any -- as Kubernetes has it
    ({ kind, metadata: { name }, spec: { template } }: any) => ({
      metadata: { name: `${name}-0`, namespace, labels: template.metadata.labels },
      spec: template.spec,
      status: { podIP: "10.0.0.1", phase: kind === "Job" ? "Succeeded" : "Running" },
    }),
  );
}

/** Pods that are none of serin's, one that was evicted, and one that has no address yet. */
function podsOfOthers(namespace: string): unknown[] {
  const pod = (name: string, part: string, status: unknown) => ({
    metadata: {
      name: `other-${part}`,
      namespace,
      labels: { "app.kubernetes.io/name": name, "app.kubernetes.io/component": part },
    },
    spec: { containers: [{ name: "c", ports: [{ name: "admin", containerPort: 8081 }] }] },
    status,
  });
  return [
    pod("other", "serving", { podIP: "10.0.0.2", phase: "Running" }),
    pod("serin", "serving", { podIP: "10.0.0.3", phase: "Failed" }),
    pod("serin", "controller", { phase: "Pending" }),
    pod("serin", "registry", { podIP: "10.0.0.4", phase: "Running" }),
  ];
}

Deno.test({
  name: `each alert fires in its cases, and in no near miss${suffix(prometheus)}`,
  ignore: "missing" in prometheus,
  async fn(t) {
    if ("missing" in prometheus) return;
    await t.step("with the default settings", async () => {
      const args = ["test", "rules", "rules_test.yaml"];
      const { code, output } = await runTool(prometheus.promtool, args);
      assertEquals(code, 0, output);
    });
    await t.step("with other objectives and limits", async () => {
      const set = ["latencySeconds=1", "latencyPercent=95", "psiMax=0.1", "modelAgeDaysMax=7"]
        .concat(
          `driftIgnoreColumns=["date","a.b (\\"c\\\\d\\")"]`,
        );
      const assignments = set.map((one) => `monitoring.${one}`);
      const other = manifestSettings({ set: assignments }).monitoring;
      const { tests, ...file } = ruleTestFile(other);
      const changed = /LatencyBudgetBurnFast|Drift|InputUnseen|ModelStale/;
      const cases = { ...file, tests: tests.filter(({ name }) => changed.test(name)) };
      const { code, output } = await testRules(
        prometheus.promtool,
        ruleFile({ settings: other }),
        cases,
      );
      assertEquals(code, 0, output);
    });
    await t.step("a rule that never fires is found, and one that always does", async () => {
      for (const [with_, complaint] of [["> 1e9", "got:[]"], ["> -1", "exp:[]"]]) {
        const file = structuredClone(ruleFile({ settings }));
        const cases = ruleTestFile(settings);
        const own = cases.tests.filter(({ name }) => name.startsWith("SerinInputUnseen"));
        const text = JSON.stringify(file).replace(
          /(serin_feature_unseen_ratio\)) > [\d.]+/,
          `$1 ${with_}`,
        );
        const broken = await testRules(prometheus.promtool, JSON.parse(text), {
          ...cases,
          tests: own,
        });
        assertEquals(broken.code, 1, broken.output);
        assertIncludes(broken.output.replaceAll(/\s/g, ""), complaint);
      }
    });
  },
});

Deno.test({
  name: `amtool takes every alert to its receivers${suffix(alertmanager)}`,
  ignore: "missing" in alertmanager,
  async fn() {
    if ("missing" in alertmanager) return;
    const check = await runTool(alertmanager.amtool, ["check-config", "alertmanager.yaml"]);
    assertEquals(check.code, 0, check.output);
    const seen = new Set<string>();
    for (const { name, severity, retrain } of alerts) {
      const labels = [`alertname=${name}`, `severity=${severity}`, "model=electricity"];
      const more = retrain ? ["serin_retrain=true"] : [];
      const wanted = retrain ? `retrain,${severity}` : severity;
      if (seen.has(wanted)) continue;
      seen.add(wanted);
      const args = ["config", "routes", "test", "--config.file=alertmanager.yaml"];
      const { code, output } = await runTool(alertmanager.amtool, [
        ...args,
        `--verify.receivers=${wanted}`,
        ...labels,
        ...more,
      ]);
      assertEquals(code, 0, `${name}: ${output}`);
    }
    assertEquals([...seen].toSorted(), ["page", "retrain,ticket", "ticket"]);
  },
});

Deno.test("inhibitions name alerts that there are", async () => {
  const config = parse(await Deno.readTextFile(`${RENDERED}/alertmanager.yaml`));
  const names = new Set<string>(alerts.map(({ name }) => name));
  for (const { source_matchers, target_matchers, equal } of config.inhibit_rules) {
    const matched = [...source_matchers, ...target_matchers].flatMap((matcher: string) =>
      /^alertname=~"(.+)"$/.exec(matcher)![1].split("|")
    );
    assertEquals(matched.filter((name) => !names.has(name)), []);
    assertTrue(equal.includes("namespace"), "another installation inhibits nothing");
  }
});

async function testRules(promtool: string, rules: unknown, cases: unknown) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/rules.yaml`, formatYaml([rules]));
    await Deno.writeTextFile(`${folder}/rules_test.yaml`, formatYaml([cases]));
    return await runTool(promtool, ["test", "rules", "rules_test.yaml"], folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runTool(command: string, args: string[], cwd = RENDERED) {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  const [printed, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: printed, output: printed + said };
}
