import { assertEquals, assertSerinError, assertTrue } from "../../testing/mod.ts";
import { manifestSettings } from "./render.ts";
import { listSettings, resolveSettings } from "./set_values.ts";
import { OVERLAYS } from "./overlays.ts";

Deno.test("values are read by their setting's kind", () => {
  const settings = resolveSettings([], [
    ...["serving.replicasMin=3", "training.suspend=false", "serving.surge=50%"],
    ...["serving.resources.requests.cpu=1", "network.clientNamespaces=a,b"],
    ...['training.arguments=["--data","/data/a,b.csv","--target=x"]'],
  ]);
  assertEquals(settings.serving.replicasMin, 3);
  assertEquals(settings.training.suspend, false);
  assertEquals(settings.serving.surge, "50%");
  assertEquals(settings.serving.resources.requests, { cpu: "1", memory: "448Mi" });
  assertEquals(settings.network.clientNamespaces, ["a", "b"]);
  assertEquals(settings.training.arguments, ["--data", "/data/a,b.csv", "--target=x"]);
  assertEquals(resolveSettings([], ["network.clientNamespaces="]).network.clientNamespaces, []);
});

Deno.test("what is set is above the overlay, the overlay above the defaults", () => {
  assertEquals(manifestSettings({ overlay: "production" }).serving.replicasMin, 3);
  const set = ["serving.replicasMin=4"];
  assertEquals(manifestSettings({ overlay: "production", set }).serving.replicasMin, 4);
  assertEquals(manifestSettings({ set }).serving.replicasMin, 4);
});

Deno.test("everything that is wrong is said at once, with the nearest key", async () => {
  const error = await assertSerinError(
    () =>
      resolveSettings([], [
        ...["serving.replicaMin=3", "replicasMax=3", "serving=3", "image", "=x", "namespace=A"],
        ...["serving.replicasMax=many", "training.suspend=maybe", "network.apiServerCidrs=1.2.3"],
        ...["training.arguments=[1", "registry.storage=much", "registry.storage=2Gi"],
        ...["nothing.alike=1", "network.open=1", "__proto__.x=1", "serving.replicasMin=9"],
      ]),
    "usage",
  );
  assertEquals(error.message.split("\n").map((line) => line.replace(/ \(.*JSON.*\)/, "")), [
    'there is no setting "serving.replicaMin": did you mean "serving.replicasMin"?',
    'there is no setting "replicasMax": did you mean "serving.replicasMax"?',
    `"serving" is a group of settings: it has ${
      listSettings().map(({ key }) => key).filter((key) => key.startsWith("serving.")).join(", ")
    }`,
    '--set must be KEY=VALUE: it is "image"',
    '--set must be KEY=VALUE: it is "=x"',
    '"training.suspend": must be true or false: current value is "maybe"',
    '"training.arguments": is no JSON array: current value is [1',
    '"registry.storage" is set twice',
    'there is no setting "nothing.alike": there are namespace, image, imagePullPolicy, registry., ' +
    "serving., controller., training., retrain., network., monitoring.",
    'there is no setting "network.open": "network." has clientNamespaces, monitoringNamespace, ' +
    "dnsCidrs, apiServerCidrs",
    'there is no setting "__proto__.x": there are namespace, image, imagePullPolicy, registry., ' +
    "serving., controller., training., retrain., network., monitoring.",
    '"namespace": must be a DNS label: a-z, 0-9 and -, at most 63 characters: current value is "A"',
    '"registry.storage": must be bytes, such as 256Mi or 10Gi: current value is "much"',
    '"serving.replicasMax": must be a whole number: current value is "many"',
    '"network.apiServerCidrs.0": must be a CIDR, such as 10.0.0.0/8: current value is "1.2.3"',
  ]);
});

Deno.test("values that do not go together are refused", async () => {
  const refused = (set: string[], ...parts: string[]) =>
    assertSerinError(() => resolveSettings([], set), "usage", ...parts);
  await refused(["serving.replicasMin=9"], "serving.replicasMin", "replicasMax (6)");
  const { message } = await refused(
    ["serving.resources.requests.memory=1Gi", "registry.resources.limits.cpu=50m"],
    '"serving.resources.requests.memory": must not be above limits.memory (768Mi)',
  );
  assertTrue(message.includes("limits.cpu (50m)"), message);
});

Deno.test("every setting has a description, and every overlay is valid", () => {
  assertEquals(listSettings().filter(({ description }) => description === ""), []);
  for (const overlay of OVERLAYS) manifestSettings({ overlay });
});
