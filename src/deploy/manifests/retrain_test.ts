/** The retraining workload: nothing of it unless it is enabled, and then this and no more. */
import { assertEquals, assertIncludes, assertSerinError, assertTrue } from "../../testing/mod.ts";
import { diffJson, type Json } from "./json_patch.ts";
import { prometheusFiles } from "./monitoring.ts";
import type { CronJob, Deployment, Manifest, NetworkPolicy, PodMonitor } from "./object_shape.ts";
import { objectsByReference } from "./objects.ts";
import { OVERLAYS } from "./overlays.ts";
import { parseQuantity } from "./quantity.ts";
import { manifestSettings, renderManifests } from "./render.ts";

const ENABLED = ["retrain.enabled=true"];

function find<M extends Manifest>(kind: M["kind"], name: string, set = ENABLED): M {
  const objects = renderManifests({ set }) as unknown as Manifest[];
  const found = objects.find((one) => one.kind === kind && one.metadata.name === name);
  assertTrue(found !== undefined, `${kind} ${name} is there`);
  return found as M;
}

Deno.test("nothing of it is there unless it is enabled", () => {
  for (const overlay of OVERLAYS) {
    assertEquals(JSON.stringify(renderManifests({ overlay })).includes("retrain"), false);
    const set = ["retrain.trainIn=worker", "retrain.storage=1Ti", "retrain.logRate=0.1"];
    assertEquals(renderManifests({ overlay, set }), renderManifests({ overlay }));
  }
});

Deno.test("enabled, it adds a workload of its own, and changes who serves and who trains", () => {
  const before = objectsByReference(renderManifests());
  const after = objectsByReference(renderManifests({ set: ENABLED }));
  const added = [...after.keys()].filter((key) => !before.has(key));
  assertEquals(added, [
    "ServiceAccount serin/serin-retrain",
    "NetworkPolicy serin/serin-retrain",
    "PersistentVolumeClaim serin/serin-retrain-data",
    "Service serin/serin-retrain",
    "Deployment serin/serin-retrain",
  ]);
  const changes = [...before].flatMap(([key, object]) =>
    diffJson(object as Json, after.get(key) as Json).map(({ op, path }) =>
      `${key} ${op} ${path.replace(/^\/spec/, "").replace(/^.*template\/spec/, "…")}`
    )
  );
  assertEquals(changes.filter((change) => !change.includes("/command/")), [
    "NetworkPolicy serin/serin-registry add /ingress/0/from/3",
    "NetworkPolicy serin/serin-serving add /egress/1",
    "NetworkPolicy serin/serin-training add /egress/1",
    "Deployment serin/serin-serving replace …/terminationGracePeriodSeconds",
    "Deployment serin/serin-serving add …/containers/0/volumeMounts/2",
    "Deployment serin/serin-serving add …/volumes/2",
    "CronJob serin/serin-train add …/containers/0/volumeMounts/2",
    "CronJob serin/serin-train add …/containers/0/workingDir",
    "CronJob serin/serin-train add …/volumes/2",
  ]);
  // What a replica is asked to keep and to send stands at the end of its command line.
  const command = (objects: typeof before) => {
    const { spec } = objects.get("Deployment serin/serin-serving") as unknown as Deployment;
    return spec.template.spec.containers[0].command;
  };
  const more = command(after).slice(command(before).length);
  assertEquals([...command(before), ...more], command(after));
  const tokens = "/etc/serin/tokens/replica-token";
  assertEquals(more, [
    ...["--prediction-log", "/var/log/serin", "--prediction-log-bytes", "256Mi"],
    ...["--prediction-log-rate", "1", "--prediction-log-to", "http://serin-retrain:8083"],
    ...["--prediction-log-token-file", tokens],
  ]);
});

Deno.test("it has a token a role, and Alertmanager's is mounted nowhere else", () => {
  const { command, args } = find<Deployment>("Deployment", "serin-retrain").spec.template.spec
    .containers[0];
  const line = [...command, ...args ?? []];
  const fileOf = (flag: string) => line[line.indexOf(flag) + 1];
  const folder = "/etc/serin/tokens";
  assertEquals(
    ["--token-file", "--replica-token-file", "--webhook-token-file"].map(fileOf),
    [`${folder}/admin-token`, `${folder}/replica-token`, `${folder}/webhook-token`],
  );
  for (const set of [[], ENABLED]) {
    const mounting = renderManifests({ set })
      .filter((object) => JSON.stringify(object).includes("webhook-token"))
      .map(({ metadata }) => metadata.name);
    assertEquals(mounting, set.length === 0 ? [] : ["serin-retrain"]);
  }
});

Deno.test("one writer: a single replica that is gone before the next one starts", () => {
  const { spec } = find<Deployment>("Deployment", "serin-retrain");
  assertEquals([spec.replicas, spec.strategy], [1, { type: "Recreate" }]);
});

Deno.test("retrain.yaml and what it names are the same files here and in Jobs", () => {
  const job = renderManifests({ set: ["training.job=true", "training.target=y", ...ENABLED] })
    .find(({ kind }) => kind === "Job") as unknown as Deployment;
  const pods = [find<Deployment>("Deployment", "serin-retrain"), job].map(({ spec }) =>
    spec.template.spec
  );
  const places = pods.map(({ containers: [{ workingDir, volumeMounts }] }) => [
    workingDir,
    volumeMounts.find(({ name }) => name === "config"),
  ]);
  assertEquals(places[0], places[1]);
  assertEquals(
    pods.map(({ volumes }) => volumes.find(({ name }) => name === "config")?.configMap),
    // A Job that a person asks for must start without it.
    [{ name: "serin-retrain" }, { name: "serin-retrain", optional: true }],
  );
});

Deno.test("Jobs send their token to the address that they are given rows of, and to no other", () => {
  const [{ args = [] }] =
    find<Deployment>("Deployment", "serin-retrain").spec.template.spec.containers;
  const ownUrl = args[args.indexOf("--own-url") + 1];
  const [{ command = [] }] =
    find<CronJob>("CronJob", "serin-train").spec.jobTemplate.spec.template.spec.containers;
  const valueOf = (flag: string) => command[command.indexOf(flag) + 1];
  assertEquals(valueOf("--data-token-file"), valueOf("--registry-token-file"));
  assertEquals(valueOf("--data-token-origin"), ownUrl);
});

Deno.test("what a replica keeps fits in its volume, with room for a journal", () => {
  for (const size of ["256Mi", "1Gi", "10M"]) {
    const set = [...ENABLED, `retrain.replicaLogSize=${size}`];
    const { spec } = find<Deployment>("Deployment", "serin-serving", set);
    const volume = spec.template.spec.volumes.find(({ name }) => name === "predictions");
    const limit = parseQuantity(volume!.emptyDir!.sizeLimit)!;
    assertTrue(limit >= 2 * parseQuantity(size)! && limit < 3 * parseQuantity(size)!, size);
  }
});

Deno.test("who reaches it: replicas, Jobs, the monitoring namespace, the API server's proxy", () => {
  const set = [...ENABLED, "network.apiServerCidrs=10.0.0.1/32"];
  const { spec } = find<NetworkPolicy>("NetworkPolicy", "serin-retrain", set);
  const component = "app.kubernetes.io/component";
  const peers = spec.ingress![0].from!.map(({ podSelector, namespaceSelector, ipBlock }) =>
    podSelector?.matchLabels?.[component] ?? ipBlock?.cidr ??
      namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"]
  );
  assertEquals(peers, ["serving", "training", "monitoring", "10.0.0.1/32"]);
  assertEquals(spec.egress!.map(({ to }) => to![0].podSelector?.matchLabels?.[component]), [
    "registry",
  ]);
});

Deno.test("sizes and rates that cannot be kept are refused", async () => {
  const refused = (setting: string, ...parts: string[]) =>
    assertSerinError(() => manifestSettings({ set: [setting] }), "usage", ...parts);
  await refused("retrain.logSize=8Gi", '"retrain.logSize"', "half of retrain.storage (10Gi)");
  await refused("retrain.replicaLogSize=512Ki", '"retrain.replicaLogSize"', "at least 1Mi");
  await refused("retrain.logSize=1.5Gi", "whole bytes");
  for (const rate of ["0", "1.5", "0.0", "-1", "much"]) {
    await refused(`retrain.logRate=${rate}`, '"retrain.logRate"');
  }
  for (const rate of ["1", "1.0", "0.05", ".5"]) {
    manifestSettings({ set: [`retrain.logRate=${rate}`] });
  }
});

Deno.test("Alertmanager's webhook is the Service where it runs, and what is set above all", () => {
  const receiver = (set: readonly string[]) => {
    const config = prometheusFiles(manifestSettings({ set })).get("alertmanager.yaml") as {
      receivers: { name: string; webhook_configs: [{ url: string; http_config?: unknown }] }[];
    };
    const { url, http_config } = config.receivers.find(({ name }) => name === "retrain")!
      .webhook_configs[0];
    return [url, JSON.stringify(http_config)];
  };
  assertEquals(receiver([]), ["http://localhost:8083/v1/alerts", undefined]);
  const [url, http] = receiver([...ENABLED, "namespace=ml"]);
  assertEquals(url, "http://serin-retrain.ml.svc:8083/v1/alerts");
  assertIncludes(http!, "/etc/alertmanager/secrets/serin-retrain/token");
  const own = ["monitoring.retrainUrl=http://r:1/v1/alerts", "monitoring.retrainTokenFile=/t"];
  const [elsewhere, token] = receiver([...ENABLED, ...own]);
  assertEquals(elsewhere, "http://r:1/v1/alerts");
  assertIncludes(token!, '"/t"');
});

Deno.test("its PodMonitor is there with the others, so that components add up", () => {
  const monitors = ["monitoring.monitors=true"];
  const monitor = find<PodMonitor>("PodMonitor", "serin-retrain", monitors);
  assertEquals(monitor.spec.podMetricsEndpoints[0].port, "http");
  assertEquals(find("PodMonitor", "serin-retrain", [...monitors, ...ENABLED]), monitor);
});
