/**
 * Dashboards and rules against serin itself: the committed JSON is that of its sources, and every metric
 * that a query names is on a real `/metrics`. What needs Grafana's packages and a browser is
 * `scripts/deno task dashboards:check`.
 */
import { addControllerMetrics } from "../src/commands/controller_metrics.ts";
import { type Controller, PARTS } from "../src/controller/mod.ts";
import { Metrics } from "../src/telemetry/mod.ts";
import { assertEquals, assertTrue } from "../src/testing/mod.ts";
import { ask, Workbench } from "./support/workbench.ts";

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);
const RULES = `${ROOT}manifests/prometheus/rules.yaml`;
Deno.test("the committed dashboards are those of scripts/dashboards", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-config", "--lock=scripts/dashboards/sdk.lock", "--frozen", "--quiet"],
      ...["--node-modules-dir=none", "-A", "scripts/dashboards/build.ts", "--check"],
    ],
    cwd: ROOT,
  }).output();
  assertEquals({ code, stderr: new TextDecoder().decode(stderr) }, { code: 0, stderr: "" });
});

Deno.test("every metric of dashboards and rules is one that serin has", async () => {
  const known = await exposedNames();
  assertTrue(known.size > 30, [...known].join(" "));
  const unknown = new Set<string>();
  for (const file of [RULES, ...dashboardFiles()]) {
    const text = await Deno.readTextFile(file);
    for (const [name] of text.matchAll(/(?<![\w:-])serin_[a-z0-9_]+(?![\w:])/g)) {
      // A label of alerts, not a metric.
      if (name === "serin_retrain") continue;
      const isKnown = known.has(name) || known.has(name.replace(/_(bucket|sum|count)$/, ""));
      if (!isKnown) unknown.add(name);
    }
  }
  assertEquals([...unknown].toSorted(), []);
});

function dashboardFiles(): string[] {
  return [...Deno.readDirSync(`${ROOT}dashboards`)].map(({ name }) => `${ROOT}dashboards/${name}`);
}

/** Names on the metrics pages of a registry, a replica, what retrains, and a controller. */
async function exposedNames(): Promise<Set<string>> {
  await using bench = await Workbench.open();
  const registry = await bench.registry();
  const at = ["--registry", registry.process.url];
  const spec = await bench.write(
    "retrain.yaml",
    "models: [{ model: a, data: { csv: [a.csv] } }]\n",
  );
  const retrain = await bench.start(
    ...["retrain", "serve", ...at, "--spec", spec, "--port", "0"],
    ...["--prediction-log", bench.path("received")],
  );
  const log = ["--prediction-log", bench.path("log"), "--prediction-log-to", retrain.url];
  const served = await bench.serve([...at, ...log], { wait: false });
  const pages = [
    (await ask(`${registry.process.url}/metrics`)).text,
    (await ask(`${retrain.url}/metrics`)).text,
    await served.metrics(),
    await controllerPage(),
  ];
  const names = pages.flatMap((page) => [...page.matchAll(/^# TYPE (\S+)/gm)]);
  return new Set(names.map(([, name]) => name));
}

/** A controller needs a Kubernetes to start; what it would tell needs none. */
function controllerPage(): Promise<string> {
  const stats = { runs: 0, errors: 0, counts: [], seconds: 0 };
  const controller = {
    stats: () => ({
      parts: new Map(PARTS.map((part) => [part, stats])),
      leads: false,
      registryReachable: false,
    }),
  };
  const metrics = new Metrics();
  addControllerMetrics(metrics, controller as unknown as Controller);
  return metrics.text();
}
