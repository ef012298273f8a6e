/** What must hold for every object of every installation, whatever is set. */
import type { KubernetesObject } from "../../kubernetes/mod.ts";
import { assertEquals, assertTrue } from "../../testing/mod.ts";
import type {
  Deployment,
  HorizontalPodAutoscaler,
  Manifest,
  NetworkPolicy,
  PodDisruptionBudget,
  Role,
  ScaledObject,
  Service,
  StatefulSet,
} from "./object_shape.ts";
import { OVERLAYS } from "./overlays.ts";
import type { Container, PodTemplate, Probe } from "./pod_shape.ts";
import { parseQuantity } from "./quantity.ts";
import { renderManifests } from "./render.ts";

const VARIANTS = [
  [],
  [
    "serving.autoscaling=inflight-adapter",
    "monitoring.monitors=true",
    "monitoring.rules=true",
    "monitoring.dashboards=true",
    "training.job=true",
    "training.target=y",
  ],
  ["serving.autoscaling=inflight-keda", "network.clientNamespaces=a", "serving.spread=none"],
  ["namespace=elsewhere", "network.apiServerCidrs=10.0.0.1/32", "registry.storageClass=fast"],
  ["retrain.enabled=true", "network.apiServerCidrs=10.0.0.1/32", "monitoring.monitors=true"],
];

/** Runs a check over each installation: overlays × variants. */
function checkAll(name: string, check: (objects: readonly Manifest[]) => void): void {
  Deno.test(name, () => {
    for (const overlay of OVERLAYS) {
      for (const set of VARIANTS) check(renderManifests({ overlay, set }) as unknown as Manifest[]);
    }
  });
}

/** The objects of a kind, which must be there. */
function of<M extends Manifest>(objects: readonly Manifest[], kind: M["kind"]): M[] {
  return objects.filter((object) => object.kind === kind) as M[];
}

function find<M extends Manifest>(objects: readonly Manifest[], kind: M["kind"], name: string): M {
  const found = of<M>(objects, kind).find(({ metadata }) => metadata.name === name);
  assertTrue(found !== undefined, `${kind} ${name} is there`);
  return found;
}

/** Every pod template, with the name of its owner. */
function templates(objects: readonly Manifest[]): [name: string, PodTemplate][] {
  return objects.flatMap((object): [string, PodTemplate][] => {
    const name = `${object.kind} ${object.metadata.name}`;
    if (object.kind === "CronJob") return [[name, object.spec.jobTemplate.spec.template]];
    const hasTemplate = ["Deployment", "StatefulSet", "Job"].includes(object.kind);
    return hasTemplate ? [[name, (object as Deployment).spec.template]] : [];
  });
}

function containers(objects: readonly Manifest[]): [name: string, Container, PodTemplate][] {
  return templates(objects).flatMap(([name, template]) =>
    template.spec.containers.map((container): [string, Container, PodTemplate] => [
      name,
      container,
      template,
    ])
  );
}

const isSelected = (labels: object, selector: Readonly<Record<string, string>>) =>
  Object.entries(selector).every(([key, value]) =>
    (labels as Record<string, string>)[key] === value
  );

checkAll("pods are admitted by Pod Security's restricted level", (objects) => {
  for (const [name, { spec }] of templates(objects)) {
    assertEquals(spec.securityContext.runAsNonRoot, true, name);
    assertTrue(spec.securityContext.runAsUser > 0, name);
    assertEquals(spec.securityContext.seccompProfile.type, "RuntimeDefault", name);
    for (const volume of spec.volumes) {
      const [, kind] = Object.keys(volume);
      assertTrue(
        ["emptyDir", "projected", "persistentVolumeClaim", "configMap"].includes(kind),
        `${name} ${kind}`,
      );
    }
  }
  for (const [name, { securityContext }] of containers(objects)) {
    assertEquals(securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    }, name);
  }
  const { metadata: { labels = {} } } = objects.find(({ kind }) => kind === "Namespace")!;
  assertEquals(labels["pod-security.kubernetes.io/enforce"], "restricted");
});

checkAll("containers say what they need, and memory has a limit", (objects) => {
  for (const [name, { resources: { requests, limits } }] of containers(objects)) {
    assertTrue(parseQuantity(requests.cpu)! > 0, name);
    assertTrue(parseQuantity(requests.memory)! <= parseQuantity(limits.memory)!, name);
  }
});

checkAll("writable places are mounts, and every mount has its volume", (objects) => {
  for (const [name, { volumeMounts }, { spec }] of containers(objects)) {
    const claims = of<StatefulSet>(objects, "StatefulSet")
      .filter((set) => `StatefulSet ${set.metadata.name}` === name)
      .flatMap((set) => set.spec.volumeClaimTemplates.map(({ metadata }) => metadata.name));
    const volumes = [...spec.volumes.map((volume) => volume.name), ...claims];
    assertEquals(volumeMounts.map((mount) => mount.name).toSorted(), volumes.toSorted(), name);
    for (const { emptyDir } of spec.volumes) {
      assertTrue(emptyDir === undefined || parseQuantity(emptyDir.sizeLimit)! > 0, name);
    }
  }
});

checkAll("servers have three probes that differ, on ports that they have", (objects) => {
  for (const [name, container] of containers(objects)) {
    const { ports = [], startupProbe, readinessProbe, livenessProbe } = container;
    const probes = [startupProbe, readinessProbe, livenessProbe];
    if (ports.length === 0) {
      assertEquals(probes, [undefined, undefined, undefined], name);
      continue;
    }
    for (const probe of probes) {
      assertTrue(ports.some((port) => port.name === probe?.httpGet.port), `${name}: ${probe}`);
    }
    assertEquals(new Set(probes.map((probe) => JSON.stringify(probe))).size, 3, name);
    const patience = (probe?: Probe) => probe!.periodSeconds * probe!.failureThreshold;
    assertTrue(patience(readinessProbe) < patience(livenessProbe), `${name}: first not ready`);
    assertEquals([readinessProbe, livenessProbe].map((probe) => probe?.httpGet.path), [
      "/readyz",
      "/livez",
    ]);
  }
});

checkAll(
  "only the controller has a Kubernetes token, and no pod the default account",
  (objects) => {
    for (const [name, { spec }] of templates(objects)) {
      const isController = name === "Deployment serin-controller";
      assertEquals(spec.automountServiceAccountToken, isController, name);
      assertEquals(spec.enableServiceLinks, false, name);
      const account = find(objects, "ServiceAccount", spec.serviceAccountName);
      assertEquals("automountServiceAccountToken" in account, true);
      assertEquals(
        (account as { automountServiceAccountToken?: boolean }).automountServiceAccountToken,
        isController,
        name,
      );
    }
  },
);

checkAll("serving pods have the replica token alone; no token is in the environment", (objects) => {
  const keys = (name: string) =>
    templates(objects).find(([owner]) => owner === name)![1].spec.volumes
      .flatMap((volume) => volume.projected?.sources ?? [])
      .flatMap(({ secret }) => secret.items.map(({ key }) => key));
  const isRetraining = objects.some(({ metadata }) => metadata.name === "serin-retrain-data");
  if (isRetraining) {
    assertEquals(keys("Deployment serin-retrain"), [
      ...["admin-token", "replica-token", "webhook-token"],
    ]);
  }
  assertEquals(keys("Deployment serin-serving"), ["replica-token"]);
  assertEquals(keys("StatefulSet serin-registry"), ["admin-token", "replica-token"]);
  assertEquals(keys("Deployment serin-controller"), ["admin-token"]);
  assertEquals(keys("CronJob serin-train"), ["admin-token"]);
  assertEquals(objects.filter(({ kind }) => (kind as string) === "Secret"), []);
  for (const [name, { env = [] }] of containers(objects)) {
    assertTrue(env.every((one) => !/TOKEN|PASSWORD|SECRET/i.test(one.name)), name);
  }
});

checkAll("every object has serin's labels and namespace, and a name of its own", (objects) => {
  const namespace = objects.find(({ kind }) => kind === "Namespace")!.metadata.name;
  const clusterWide = ["Namespace", "CustomResourceDefinition"];
  for (const { kind, metadata } of objects) {
    assertEquals(metadata.labels?.["app.kubernetes.io/name"], "serin", metadata.name);
    assertEquals(metadata.namespace, clusterWide.includes(kind) ? undefined : namespace);
  }
  const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  assertEquals(new Set(names).size, names.length);
});

checkAll("workloads select their own pods alone, by labels that never change", (objects) => {
  const workloads = objects.filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet");
  for (const { kind, metadata, spec } of workloads as Deployment[]) {
    const { matchLabels } = spec.selector;
    assertEquals(Object.keys(matchLabels), [
      "app.kubernetes.io/name",
      "app.kubernetes.io/component",
    ]);
    const selected = templates(objects).filter(([, { metadata: { labels } }]) =>
      isSelected(labels, matchLabels)
    );
    assertEquals(selected.map(([name]) => name), [`${kind} ${metadata.name}`]);
  }
});

checkAll("Services reach a port that their pods have", (objects) => {
  for (const { metadata, spec } of of<Service>(objects, "Service")) {
    const selected = containers(objects).filter(([, , { metadata: { labels } }]) =>
      isSelected(labels, spec.selector)
    );
    assertEquals(selected.length, 1, metadata.name);
    const names = selected[0][1].ports!.map(({ name }) => name);
    assertTrue(spec.ports.every(({ targetPort }) => names.includes(targetPort)), metadata.name);
  }
});

checkAll("the serving Deployment leaves replicas and arguments to others", (objects) => {
  const { spec, metadata } = find<Deployment>(objects, "Deployment", "serin-serving");
  assertEquals("replicas" in spec, false);
  assertEquals("args" in spec.template.spec.containers[0], false);
  assertEquals(metadata.annotations, { "serin.dev/models": "registry" });
  assertTrue(spec.strategy.type === "RollingUpdate", "one by one");
  assertEquals(spec.strategy.rollingUpdate.maxUnavailable, 0);
  const command = spec.template.spec.containers[0].command;
  const after = (flag: string) => Number(command[command.indexOf(flag) + 1]);
  const needed = after("--shutdown-delay-seconds") + after("--grace-seconds");
  assertTrue(spec.template.spec.terminationGracePeriodSeconds > needed, "time to end");
});

checkAll("one autoscaler and one budget stand over the serving Deployment", (objects) => {
  const scalers = [
    ...of<HorizontalPodAutoscaler>(objects, "HorizontalPodAutoscaler"),
    ...of<ScaledObject>(objects, "ScaledObject"),
  ];
  assertEquals(scalers.length, 1);
  assertEquals(scalers[0].spec.scaleTargetRef.name, "serin-serving");
  const [budget] = of<PodDisruptionBudget>(objects, "PodDisruptionBudget");
  const { spec } = find<Deployment>(objects, "Deployment", "serin-serving");
  assertEquals(budget.spec.selector, spec.selector);
  const [claim] = objects.filter(({ kind }) => kind === "PersistentVolumeClaim");
  const [job] = templates(objects).filter(([name]) => name === "CronJob serin-train");
  assertTrue(
    job[1].spec.volumes.some(({ persistentVolumeClaim }) =>
      persistentVolumeClaim?.claimName === claim.metadata.name
    ),
    "training reads its claim",
  );
});

/** All that any Role may grant: `group/resource: verbs`. */
const GRANTED = [
  "apps/deployments: get list watch patch",
  "batch/cronjobs: get",
  "batch/jobs: get list watch create",
  "/pods: list",
  "serin.dev/rollouts: get list watch create patch delete",
  "serin.dev/rollouts/status: patch",
  "/events: create",
  "coordination.k8s.io/leases: create",
  "coordination.k8s.io/leases: get update",
];

checkAll("the controller's Role is this and no more, and its own namespace's", (objects) => {
  const rules = of<Role>(objects, "Role").flatMap((role) => role.rules);
  assertEquals(
    rules.map(({ apiGroups, resources, verbs }) =>
      `${apiGroups.join()}/${resources.join()}: ${verbs.join(" ")}`
    ),
    GRANTED,
  );
  assertEquals(objects.filter(({ kind }) => kind.startsWith("Cluster")), []);
});

checkAll("policies shut everything, and open only ports that somebody listens on", (objects) => {
  const policies = of<NetworkPolicy>(objects, "NetworkPolicy");
  const shut = policies.find(({ metadata }) => metadata.name === "serin-default-deny")!;
  assertEquals(shut.spec, { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  for (const { metadata, spec } of policies) {
    const { matchLabels = {} } = spec.podSelector;
    const own = containers(objects).filter(([, , { metadata: { labels } }]) =>
      isSelected(labels, matchLabels)
    );
    assertTrue(own.length > 0, `${metadata.name} is about some pod`);
    const listening = own.flatMap(([, { ports = [] }]) => ports.map((one) => one.containerPort));
    for (const { ports } of spec.ingress ?? []) {
      assertTrue(ports.every(({ port }) => listening.includes(port)), metadata.name);
    }
  }
});

Deno.test("policies let names be asked and the API server be reached wherever they are", () => {
  const egressOf = (name: string, set: readonly string[] = []) => {
    const objects = renderManifests({ set }) as unknown as Manifest[];
    return find<NetworkPolicy>(objects, "NetworkPolicy", name).spec.egress!;
  };
  const [dns] = egressOf("serin-dns");
  assertEquals(dns.to![0].podSelector?.matchLabels, { "k8s-app": "kube-dns" });
  assertEquals(dns.to![1], { ipBlock: { cidr: "169.254.20.10/32" } });
  assertEquals(dns.ports.map(({ protocol, port }) => `${protocol} ${port}`), ["UDP 53", "TCP 53"]);
  const set = ["network.dnsCidrs=10.96.0.10/32", "network.apiServerCidrs=10.0.0.1/32"];
  assertEquals(egressOf("serin-dns", set)[0].to![1], { ipBlock: { cidr: "10.96.0.10/32" } });
  const apiServer = egressOf("serin-controller", set)[1];
  assertEquals(apiServer.to, [{ ipBlock: { cidr: "10.0.0.1/32" } }]);
  assertEquals(apiServer.ports.map(({ port }) => port), [443, 6443, 8443, 16443]);
});

Deno.test("what others need comes first", () => {
  const kinds = renderManifests().map(({ kind }: KubernetesObject) => kind);
  assertEquals(kinds.slice(0, 2), ["Namespace", "CustomResourceDefinition"]);
  const at = (kind: string) => kinds.indexOf(kind);
  assertTrue(at("ServiceAccount") < at("StatefulSet"), "accounts before pods");
  assertTrue(at("StatefulSet") < at("Deployment"), "the registry before who asks it");
});
