import type { KubernetesObject } from "../../kubernetes/mod.ts";
import { assertEquals } from "../../testing/mod.ts";
import { diffObjects, formatChange } from "./object_diff.ts";

const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: {
    name: "serin-serving",
    namespace: "serin",
    uid: "u1",
    generation: 4,
    resourceVersion: "100",
    creationTimestamp: "2026-01-01T00:00:00Z",
    managedFields: [{ manager: "serin-deploy", operation: "Apply" }],
    annotations: { "deployment.kubernetes.io/revision": "3" },
    labels: { "app.kubernetes.io/version": "0.1.0" },
  },
  spec: {
    replicas: 2,
    template: {
      spec: {
        containers: [{
          name: "serin",
          image: "serin:1",
          command: ["/serin", "serve"],
          env: [{ name: "SERIN_WORKERS", value: "2" }],
          ports: [{ name: "http", containerPort: 8080 }],
          resources: { requests: { cpu: "500m" } },
        }],
        volumes: [{ name: "cache", emptyDir: {} }],
      },
    },
  },
  status: { readyReplicas: 2 },
} as const satisfies KubernetesObject;

/** The changes of a copy of the Deployment that `edit` changed, as a person reads them. */
// deno-lint-ignore no-explicit-any
function checkDiff(edit: (copy: any) => void, expected: string[], base: object = deployment) {
  const copy = structuredClone(base);
  edit(copy);
  const changes = diffObjects(base as KubernetesObject, copy as KubernetesObject);
  assertEquals(changes.map(formatChange), expected);
}

Deno.test("what the server sets by itself is no change", () => {
  checkDiff((copy) => {
    copy.metadata.generation = 5;
    copy.metadata.resourceVersion = "101";
    copy.metadata.managedFields = [];
    copy.metadata.annotations = { "deployment.kubernetes.io/revision": "4" };
    copy.status = { readyReplicas: 0, conditions: [] };
  }, []);
  checkDiff((copy) => copy.spec.template.spec.nodeSelector = {}, []);
});

Deno.test("changes are told by the path of the field, from and to", () => {
  const spec = "spec.template.spec";
  checkDiff((copy) => {
    const [container] = copy.spec.template.spec.containers;
    container.image = "serin:2";
    container.command = ["/serin", "serve", "--host", "0.0.0.0"];
    container.env = [{ name: "TZ", value: "UTC" }, { name: "SERIN_WORKERS", value: "4" }];
    container.resources = { requests: { cpu: "500m", memory: "1Gi" } };
    copy.metadata.labels["app.kubernetes.io/version"] = "0.2.0";
    delete copy.spec.replicas;
  }, [
    '  metadata.labels["app.kubernetes.io/version"]: "0.1.0" → "0.2.0"',
    `  ${spec}.containers[serin].image: "serin:1" → "serin:2"`,
    `  ${spec}.containers[serin].command: ["/serin","serve"] → ` +
    '["/serin","serve","--host","0.0.0.0"]',
    `+ ${spec}.containers[serin].env[TZ]: {"name":"TZ","value":"UTC"}`,
    `  ${spec}.containers[serin].env[SERIN_WORKERS].value: "2" → "4"`,
    `+ ${spec}.containers[serin].resources.requests.memory: "1Gi"`,
    "- spec.replicas: 2",
  ]);
});

Deno.test("entries of lists are matched by their names, not by their places", () => {
  const spec = "spec.template.spec";
  checkDiff((copy) => {
    copy.spec.template.spec.volumes = [{ name: "tmp", emptyDir: {} }, {
      name: "cache",
      emptyDir: { sizeLimit: "1Gi" },
    }];
    copy.spec.template.spec.containers[0].ports = [];
  }, [
    `- ${spec}.containers[serin].ports[http]: {"name":"http","containerPort":8080}`,
    `+ ${spec}.volumes[tmp]: {"name":"tmp","emptyDir":{}}`,
    `+ ${spec}.volumes[cache].emptyDir.sizeLimit: "1Gi"`,
  ]);
});

Deno.test("lists without names are compared by place, or whole where their length differs", () => {
  const policy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "a" },
    spec: { ingress: [{ from: [{ podSelector: {} }] }], policyTypes: ["Ingress"] },
  };
  checkDiff(
    (copy) => {
      copy.spec.ingress[0].ports = [{ port: 5000 }];
      copy.spec.policyTypes = ["Ingress", "Egress"];
    },
    [
      '+ spec.ingress[0].ports: [{"port":5000}]',
      '  spec.policyTypes: ["Ingress"] → ["Ingress","Egress"]',
    ],
    policy,
  );
  checkDiff(
    (copy) => copy.spec.ingress = [],
    ['  spec.ingress: [{"from":[{"podSelector":{}}]}] → []'],
    policy,
  );
});

Deno.test("values of Secrets are never shown, long values are cut", () => {
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "a" },
    data: { token: "b2xk" },
  };
  checkDiff(
    (copy) => copy.data = { token: "bmV3", other: "eA==" },
    ['  data.token: "(secret)" → "(secret)"', '+ data.other: "(secret)"'],
    secret,
  );
  const [line] = diffObjects(
    { ...secret, kind: "ConfigMap", data: {} },
    { ...secret, kind: "ConfigMap", data: { text: "x".repeat(5000) } },
  ).map(formatChange);
  assertEquals(line.length, "+ data.text: ".length + 101);
});
