import { LIMITS, SeededRandom, SerinError } from "../../core/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertSerinError,
  FakeClock,
  FakeKubernetes,
} from "../../testing/mod.ts";
import { renderManifests } from "../manifests/mod.ts";
import { takeDeployLock } from "./deploy_lock.ts";
import { mergeHistory } from "./deploy_history.ts";
import { digestOf, imagesOf } from "./release_record.ts";
import { openReleaseStore } from "./release_store.ts";
import { ensureTokens, planTokens, readAdminToken } from "./tokens_secret.ts";

const OBJECTS = [{
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name: "train", namespace: "serin" },
  spec: { jobTemplate: { spec: { template: { spec: { containers: [{ image: "serin:1" }] } } } } },
}];

const RELEASE = {
  time: 1000,
  by: "jane",
  cause: "apply",
  serinVersion: "0.1.0",
  overlay: "dev",
  settings: { image: "serin:1" },
  objects: OBJECTS,
};

Deno.test("a release comes back as it was written, with its outcome", async () => {
  const kubernetes = new FakeKubernetes();
  const store = openReleaseStore(kubernetes, "serin");
  assertEquals(await store.list(), []);
  assertEquals(await store.add(RELEASE), 1);
  assertEquals((await store.list())[0].outcome, "applying");
  await store.finish(1, "healthy");
  assertEquals(await store.add({ ...RELEASE, cause: "rollback to release 1" }), 2);
  const [second, first] = await store.list();
  assertEquals([second.number, second.cause, second.outcome], [
    2,
    "rollback to release 1",
    "applying",
  ]);
  const { objects: _objects, ...rest } = RELEASE;
  const digest = digestOf(OBJECTS);
  assertEquals(first, { ...rest, number: 1, outcome: "healthy", digest, images: ["serin:1"] });
  assertEquals(await store.objectsOf(1), OBJECTS);
  await assertSerinError(() => store.objectsOf(7), "not_found", "there are 2, 1");
});

Deno.test("a number that another took at the same moment", async () => {
  const kubernetes = new FakeKubernetes();
  const store = openReleaseStore(kubernetes, "serin");
  const other = openReleaseStore(kubernetes, "serin");
  // Both have read the same newest number when the first one writes.
  const numbers = await Promise.allSettled([store.add(RELEASE), other.add(RELEASE)]);
  assertEquals(numbers.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  const refused = numbers.find((one) => one.status === "rejected") as PromiseRejectedResult;
  assertIncludes(refused.reason.message, "Another apply made release 1 at this moment");
});

Deno.test("a damaged release is left out of the list and says so when it is wanted", async () => {
  const kubernetes = new FakeKubernetes();
  const store = openReleaseStore(kubernetes, "serin");
  await store.add(RELEASE);
  const ref = { apiVersion: "v1", kind: "ConfigMap", name: "serin-release-1" };
  const map = (await kubernetes.get(ref))!;
  await kubernetes.replace({ ...map, binaryData: { "objects.json.gz": "AAAA" } });
  await assertSerinError(
    () => store.objectsOf(1),
    "invalid_data",
    "serin-release-1",
    "its objects",
  );
  const damaged = (await kubernetes.get(ref))!;
  await kubernetes.replace({ ...damaged, data: { "release.json": "{}" } });
  assertEquals(await store.list(), []);
  assertEquals(await store.allObjects(), []);
  assertEquals(await store.add(RELEASE), 2, "its number is not used again");
});

Deno.test("the oldest releases go, the newest healthy one stays", async () => {
  const kubernetes = new FakeKubernetes();
  const store = openReleaseStore(kubernetes, "serin");
  await store.add(RELEASE);
  await store.finish(1, "healthy");
  for (let i = 0; i < LIMITS.releasesMax + 1; i++) {
    await store.finish(await store.add(RELEASE), "failed");
  }
  await store.trim();
  const numbers = (await store.list()).map(({ number }) => number);
  assertEquals(numbers, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 1]);
});

Deno.test("objects that fit into no ConfigMap are refused", async () => {
  const store = openReleaseStore(new FakeKubernetes(), "serin");
  const noise = new SeededRandom(1).bytes(LIMITS.releaseBytesMax * 2).toHex();
  const data = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { noise } };
  const add = () => store.add({ ...RELEASE, objects: [data] });
  await assertSerinError(add, "too_large", "fit into a ConfigMap");
});

Deno.test("a digest does not depend on the order of keys, images are named once", () => {
  const [{ apiVersion, kind, metadata, spec }] = OBJECTS;
  assertEquals(digestOf([{ spec, metadata, kind, apiVersion }]), digestOf(OBJECTS));
  const other = { ...OBJECTS[0], metadata: { name: "other" } };
  assertEquals(imagesOf([...OBJECTS, other]), ["serin:1"]);
});

Deno.test("the Lease: renewed, given back, lost to one who thought this process dead", async () => {
  const clock = new FakeClock(), kubernetes = new FakeKubernetes({ clock });
  let whileObserved = () => Promise.resolve();
  const take = (by: string, seed: number) =>
    takeDeployLock(kubernetes, {
      namespace: "serin",
      by,
      clock,
      random: new SeededRandom(seed),
      observe: async (_, milliseconds) => {
        clock.advance(milliseconds);
        await whileObserved();
      },
    });
  const first = await take("jane", 1);
  clock.advance(5000);
  await first.renew();
  await assertSerinError(() => take("joe", 2), "conflict", "jane (", "for 5.0 s");
  clock.advance(20_000);
  await first.renew();
  clock.advance(29_000);
  await assertSerinError(() => take("joe", 2), "conflict", "jane (");
  clock.advance(1000);
  whileObserved = () => first.renew();
  await assertSerinError(() => take("joe", 2), "conflict", "jane (");
  whileObserved = () => Promise.resolve();
  clock.advance(30_000);
  const second = await take("joe", 2);
  await assertSerinError(() => first.renew(), "conflict", "joe (");
  await first.release();
  assertEquals(kubernetes.objects("Lease").length, 1, "another's Lease is left alone");
  await second.release();
  await second.release();
  assertEquals(kubernetes.objects("Lease"), []);
  const ahead = await take("kim", 3);
  clock.jump(-3_600_000);
  whileObserved = () => ahead.renew();
  await assertSerinError(() => take("joe", 4), "conflict", "kim (");
  whileObserved = () => Promise.resolve();
  clock.jump(-3_600_000);
  await take("joe", 5);
  await assertSerinError(() => ahead.release().then(() => ahead.renew()), "conflict", "joe (");
});

Deno.test("the Lease outlives an API server that cannot for a moment, not for longer", async () => {
  const clock = new FakeClock(), kubernetes = new FakeKubernetes({ clock });
  const observe = () => Promise.resolve();
  const options = { namespace: "serin", by: "jane", clock, random: new SeededRandom(1), observe };
  const lock = await takeDeployLock(kubernetes, options);
  kubernetes.before = () => {
    throw new SerinError("unavailable", "the API server is gone");
  };
  clock.advance(29_000);
  await lock.renew();
  clock.advance(1000);
  await assertSerinError(() => lock.renew(), "unavailable", "is gone");
  kubernetes.before = () => {};
  await lock.renew();
});

/** Objects of an installation, with what retrains or without it. */
function installation(isRetraining: boolean) {
  return renderManifests({ set: [`retrain.enabled=${isRetraining}`] });
}

Deno.test("tokens: made once, read, missing keys named, never overwritten", async () => {
  const kubernetes = new FakeKubernetes();
  const ensure = (seed: number, isRetraining = true) =>
    ensureTokens(
      kubernetes,
      { namespace: "serin", objects: installation(isRetraining) },
      new SeededRandom(seed),
    );
  await assertSerinError(() => readAdminToken(kubernetes, "serin"), "not_found", "not installed");
  const made = await ensure(1, false);
  assertEquals(made, {
    action: "create",
    keys: ["admin-token", "replica-token", "webhook-token"],
  });
  const token = await readAdminToken(kubernetes, "serin");
  assertEquals(token.length, 43);
  const secret = kubernetes.objects("Secret")[0];
  assertEquals(new Set(Object.values(secret.data)).size, 3);
  assertEquals(await ensure(2), { action: "unchanged", keys: [] });
  assertEquals(kubernetes.objects("Secret")[0], secret);
  for (const key of ["admin-token", "replica-token"]) {
    const { [key]: _, ...data } = secret.data;
    await kubernetes.replace({ ...kubernetes.objects("Secret")[0], data });
    await assertSerinError(() => ensure(3), "configuration", `has no ${key}`);
  }
});

Deno.test("tokens: an older Secret gets what retraining mounts, and nothing else of it changes", async () => {
  const kubernetes = new FakeKubernetes();
  const data = { "admin-token": btoa("a-person's"), "replica-token": btoa("another"), own: "eA==" };
  const metadata = { name: "serin-tokens", namespace: "serin", labels: { by: "vault" } };
  await kubernetes.create({ apiVersion: "v1", kind: "Secret", metadata, data });
  const request = (isRetraining: boolean) => ({
    ...{ namespace: "serin", objects: installation(isRetraining) },
  });
  const before = kubernetes.objects("Secret");
  const ensure = (isRetraining: boolean) =>
    ensureTokens(kubernetes, request(isRetraining), new SeededRandom(1));
  assertEquals((await ensure(false)).action, "unchanged");
  assertEquals(await readAdminToken(kubernetes, "serin"), "a-person's");
  const wanted = { action: "change", keys: ["webhook-token"] };
  assertEquals(await planTokens(kubernetes, request(true)) as unknown, wanted);
  assertEquals(kubernetes.objects("Secret"), before);

  kubernetes.before = ({ method }) => {
    if (method === "patch") throw new SerinError("invalid_input", "data: field is immutable");
  };
  await assertSerinError(
    () => ensure(true),
    "invalid_input",
    "in namespace serin has no webhook-token, and it cannot be added: data: field is immutable",
    "add it where the Secret comes from",
  );
  let isWritten = false;
  kubernetes.before = ({ method }) => {
    if (method !== "patch" || isWritten) return;
    isWritten = true;
    const [secret] = kubernetes.objects("Secret");
    void kubernetes.replace({ ...secret, data: { ...data, "webhook-token": btoa("vault's") } });
  };
  await assertSerinError(() => ensure(true), "conflict", "apply again");
  assertEquals(atob(kubernetes.objects("Secret")[0].data["webhook-token"]), "vault's");
  await kubernetes.replace({ ...kubernetes.objects("Secret")[0], data });

  assertEquals(await ensure(true) as unknown, wanted);
  const [secret] = kubernetes.objects("Secret"), { "webhook-token": added, ...rest } = secret.data;
  assertEquals([rest, secret.metadata.labels], [data, metadata.labels]);
  assertEquals(atob(added).length, 43);
  assertEquals((await ensure(true)).action, "unchanged");
});

Deno.test("history: releases with what changed, champions between them", () => {
  const release = (number: number, time: number, image: string) => ({
    ...RELEASE,
    number,
    time,
    settings: { image, serving: { replicasMin: 1 } },
    digest: "",
    images: [image],
    outcome: "healthy" as const,
  });
  const move = (time: number, version: string | null, alias = "champion") => ({
    ...{ alias, version, previous: "1", time, cause: "api", rollout: null },
  });
  const entries = mergeHistory(
    [release(2, 30, "serin:2"), release(1, 10, "serin:1")],
    new Map([["iris", [move(40, null), move(20, "2"), move(15, "3", "challenger")]]]),
  );
  const seen = entries.map((entry) =>
    entry.kind === "release"
      ? [entry.time, entry.release.number, entry.changes]
      : [entry.time, entry.model, entry.version]
  );
  assertEquals(seen, [
    [40, "iris", undefined],
    [30, 2, [{ path: "image", from: "serin:1", to: "serin:2" }]],
    [20, "iris", "2"],
    [10, 1, undefined],
  ]);
});
