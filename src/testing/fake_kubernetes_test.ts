import type { KubernetesObject } from "../kubernetes/mod.ts";
import { assertEquals, assertIncludes, assertSerinError } from "./assertions.ts";
import { FakeKubernetes } from "./fake_kubernetes.ts";

const deployment = (container: object, name = "a"): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: { template: { spec: { containers: [{ name: "serin", ...container }] } } },
});
// deno-lint-ignore no-explicit-any
const containers = (object: any) => object.spec.template.spec.containers;
const ref = { apiVersion: "apps/v1", kind: "Deployment", name: "a" };

Deno.test("the fake's apply: owners, conflicts, force, removal, no change no version", async () => {
  const api = new FakeKubernetes();
  await api.apply(deployment({ image: "i:1" }), { fieldManager: "deploy" });
  const second = await api.apply(deployment({ args: ["x"] }), { fieldManager: "controller" });
  assertEquals(containers(second), [{ name: "serin", image: "i:1", args: ["x"] }]);
  const conflict = await assertSerinError(
    () => api.apply(deployment({ args: ["y"] }), { fieldManager: "deploy" }),
    "conflict",
  );
  assertIncludes(conflict.message, '"controller" manages .spec.template.spec.containers');
  const same = await api.apply(deployment({ args: ["x"] }), { fieldManager: "controller" });
  assertEquals(same.metadata.resourceVersion, second.metadata.resourceVersion);
  const forced = await api.apply(deployment({ args: ["z"] }), {
    fieldManager: "deploy",
    force: true,
  });
  // The image was applied by the same manager and is left out now.
  assertEquals(containers(forced), [{ name: "serin", args: ["z"] }]);
  const tried = await api.apply(deployment({ args: ["q"] }), {
    fieldManager: "deploy",
    dryRun: true,
  });
  assertEquals(containers(tried)[0].args, ["q"]);
  assertEquals(containers(await api.get(ref))[0].args, ["z"]);
  assertEquals(forced.metadata.managedFields?.map(({ manager }) => manager), [
    "deploy",
    "controller",
  ]);
});

Deno.test("the fake's status: only through its subresource", async () => {
  const api = new FakeKubernetes();
  const made = { ...deployment({}), status: { replicas: 1 } };
  assertEquals((await api.apply(made, { fieldManager: "m" })).status, undefined);
  const { status, spec } = await api.apply({ ...made, spec: {} }, {
    fieldManager: "m",
    subresource: "status",
  });
  assertEquals([status, spec], [{ replicas: 1 }, deployment({}).spec]);
});

Deno.test("the fake's writes: versions, patches, selectors, owners that go", async () => {
  const api = new FakeKubernetes();
  const made = await api.create(deployment({ image: "i" }), { fieldManager: "m" });
  await assertSerinError(() => api.create(deployment({})), "already_exists");
  const patched = await api.patch(ref, { metadata: { labels: { app: "serin" } } });
  assertEquals(patched.metadata.labels, { app: "serin" });
  await assertSerinError(() => api.replace(made), "conflict");
  const owner = { ...ref, uid: made.metadata.uid! };
  await api.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", ownerReferences: [owner] },
  });
  const chosen = (labelSelector: string) => api.list({ ...ref, labelSelector });
  assertEquals((await chosen("app in (serin, x),app!=y,!z")).items.length, 1);
  assertEquals((await chosen("app notin (serin)")).items.length, 0);
  assertEquals(await api.delete(ref), true);
  assertEquals([await api.delete(ref), api.objects().length], [false, 0]);
  await assertSerinError(() => api.get({ apiVersion: "v9", kind: "X", name: "x" }), "not_found");
});

Deno.test("the fake's watch: what is there, then what changes", async () => {
  const api = new FakeKubernetes();
  await api.create(deployment({}, "a"));
  const stop = new AbortController(), seen: string[] = [];
  const watching = (async () => {
    for await (const { type, object } of api.watch(ref, { signal: stop.signal })) {
      seen.push(`${type} ${object.metadata.name}`);
      if (seen.length === 3) stop.abort();
    }
  })();
  await api.create(deployment({}, "b"));
  await api.delete(ref);
  await watching;
  assertEquals(seen, ["ADDED a", "ADDED b", "DELETED a"]);
});
