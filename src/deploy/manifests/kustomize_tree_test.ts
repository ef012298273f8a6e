import { parse, parseAllDocuments } from "yaml";
import { VERSION } from "../../core/mod.ts";
import type { KubernetesObject } from "../../kubernetes/mod.ts";
import { assertEquals, assertIncludes, assertTrue } from "../../testing/mod.ts";
import { splitImage } from "./image_name.ts";
import { applyPatch, type Json, type PatchOperation } from "./json_patch.ts";
import { isGeneratedManifest } from "./kustomize_files.ts";
import { renderKustomizeTree } from "./kustomize_tree.ts";
import { objectsByReference } from "./objects.ts";
import { renderManifests } from "./render.ts";

interface Kustomization {
  readonly resources: string[];
  readonly patches?: { path: string; target: { kind: string; name: string } }[];
}

/** What kustomize makes of an overlay of ours: the base's objects, each patched. */
function build(tree: ReadonlyMap<string, string>, folder: string): KubernetesObject[] {
  const file = (path: string) => tree.get(path) ?? assertTrue(false, `${path} is there`)!;
  const { resources, patches = [] } = parse(file(`${folder}/kustomization.yaml`)) as Kustomization;
  const objects = resources.flatMap((resource) =>
    resource === "../../base"
      ? build(tree, "base")
      : parseAllDocuments(file(`${folder}/${resource}`)).map((one) => one.toJS())
  );
  return objects.map((object) =>
    patches.filter(({ target: { kind, name } }) =>
      object.kind === kind && object.metadata.name === name
    ).reduce(
      (patched, { path }) => applyPatch(patched, parse(file(`${folder}/${path}`))) as Json,
      object as Json,
    ) as unknown as KubernetesObject
  );
}

const sorted = (objects: readonly KubernetesObject[]) =>
  [...objectsByReference(objects)].toSorted(([a], [b]) => a < b ? -1 : 1);

Deno.test("base and overlays of the tree are what is rendered", () => {
  for (const set of [[], ["serving.replicasMax=30", "network.clientNamespaces=web"]]) {
    const tree = renderKustomizeTree(set);
    const folders = {
      base: "base",
      dev: "overlays/dev",
      production: "overlays/production",
    } as const;
    for (const [overlay, folder] of Object.entries(folders) as ["base", "base"][]) {
      assertEquals(sorted(build(tree, folder)), sorted(renderManifests({ overlay, set })), overlay);
    }
  }
});

Deno.test("every file says that it is generated, and is named by a kustomization", () => {
  const tree = renderKustomizeTree();
  for (const [path, text] of tree) {
    assertTrue(isGeneratedManifest(text), path);
    const [folder, name] = [path.slice(0, path.lastIndexOf("/")), path.split("/").at(-1)!];
    if (name === "kustomization.yaml" || path === "README.md") continue;
    if (folder === "prometheus") continue;
    assertIncludes(tree.get(`${folder}/kustomization.yaml`)!, name);
  }
});

Deno.test("a component puts its metric before the others, whatever they are", () => {
  const tree = renderKustomizeTree();
  const folder = "components/hpa-inflight-adapter";
  const patch = parse(tree.get(`${folder}/patch-horizontalpodautoscaler-serin-serving.yaml`)!);
  assertEquals((patch as PatchOperation[]).map(({ op, path }) => `${op} ${path}`), [
    "add /spec/metrics/0",
  ]);
  const [rules] = parseAllDocuments(tree.get(`${folder}/added.yaml`)!).map((one) => one.toJS());
  const config = parse(rules.data["config.yaml"]);
  assertEquals(config.rules[0].seriesQuery, 'serin_inflight_requests{namespace!="",pod!=""}');
});

Deno.test("what the base has already is no component", () => {
  const set = ["serving.autoscaling=inflight-keda"];
  const components = [...renderKustomizeTree(set).keys()].filter((path) =>
    /^comp.*kust/.test(path)
  );
  assertEquals(components, [
    "components/retrain/kustomization.yaml",
    "components/service-monitor/kustomization.yaml",
    "components/prometheus-rule/kustomization.yaml",
    "components/grafana-dashboards/kustomization.yaml",
  ]);
});

Deno.test("the image can be changed by kustomize's images", () => {
  const images = (set: string[]) =>
    parse(renderKustomizeTree(set).get("base/kustomization.yaml")!).images;
  assertEquals(images([]), [{ name: "serin", newTag: VERSION }]);
  assertEquals(images(["image=registry.example:5000/a/serin"]), undefined);
  const digest = `sha256:${"0".repeat(64)}`;
  assertEquals(images([`image=registry.example/serin:1@${digest}`]), [
    { name: "registry.example/serin", digest },
  ]);
  assertEquals(splitImage("localhost:5000/serin:1"), { name: "localhost:5000/serin", newTag: "1" });
});
