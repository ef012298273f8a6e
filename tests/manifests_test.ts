/** The kustomize tree through kubectl itself: what it builds is what serin renders. */
import { parseAllDocuments } from "yaml";
import { assertEquals, runSerin } from "../src/testing/mod.ts";

const OVERLAYS = { base: "base", dev: "overlays/dev", production: "overlays/production" };
/** Components, in the order in which a kustomization names them, and the settings that say the same. */
const COMPONENTS = {
  "": [],
  "hpa-inflight-adapter": ["serving.autoscaling=inflight-adapter"],
  "hpa-inflight-keda": ["serving.autoscaling=inflight-keda"],
  "service-monitor": ["monitoring.monitors=true"],
  "prometheus-rule": ["monitoring.rules=true"],
  "grafana-dashboards": ["monitoring.dashboards=true"],
  "retrain": ["retrain.enabled=true"],
  // Two that both change the Deployment of serving or both add what is scraped, and many at once.
  "retrain hpa-inflight-keda": ["retrain.enabled=true", "serving.autoscaling=inflight-keda"],
  "service-monitor retrain": ["monitoring.monitors=true", "retrain.enabled=true"],
  "hpa-inflight-adapter retrain service-monitor prometheus-rule grafana-dashboards": [
    ...["serving.autoscaling=inflight-adapter", "retrain.enabled=true"],
    ...["monitoring.monitors=true", "monitoring.rules=true", "monitoring.dashboards=true"],
  ],
};

const missing = await kubectlMissing();
const suffix = missing === undefined ? "" : ` (skipped: ${missing})`;

Deno.test({
  name: `kubectl kustomize builds what serin manifests render prints${suffix}`,
  ignore: missing !== undefined,
  fn: async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      const { code, stderr } = await runSerin([
        "manifests",
        "render",
        "--output",
        `${folder}/tree`,
      ]);
      assertEquals(code, 0, stderr);
      for (const [overlay, path] of Object.entries(OVERLAYS)) {
        for (const [components, set] of Object.entries(COMPONENTS)) {
          await t.step(`${overlay} ${components}`, async () => {
            const built = await kustomize(folder, path, components.split(" "));
            const flags = set.flatMap((one) => ["--set", one]);
            const { stdout } = await runSerin([
              "manifests",
              "render",
              "--overlay",
              overlay,
              ...flags,
            ]);
            assertEquals(objectsOf(built), objectsOf(stdout));
          });
        }
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function kustomize(folder: string, path: string, names: string[]): Promise<string> {
  const own = `${folder}/own`;
  await Deno.mkdir(own, { recursive: true });
  const components = names.filter((name) => name !== "")
    .map((name) => `../tree/components/${name}`);
  const kustomization = { resources: [`../tree/${path}`], components };
  await Deno.writeTextFile(`${own}/kustomization.yaml`, JSON.stringify(kustomization));
  const { success, stdout, stderr } = await kubectl("kustomize", own);
  assertEquals(success, true, stderr);
  return stdout;
}

/** Objects by kind and name, so that the order of documents does not matter. */
function objectsOf(yaml: string): [string, unknown][] {
  return parseAllDocuments(yaml).map((document): [string, unknown] => {
    const object = document.toJS();
    return [`${object.kind} ${object.metadata.name}`, object];
  }).toSorted(([a], [b]) => a < b ? -1 : 1);
}

async function kubectl(...args: string[]) {
  const { success, stdout, stderr } = await new Deno.Command("kubectl", { args }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function kubectlMissing(): Promise<string | undefined> {
  try {
    const { success, stderr } = await kubectl("kustomize", "--help");
    return success ? undefined : `kubectl has no kustomize: ${stderr.trim().split("\n")[0]}`;
  } catch {
    return "no kubectl here";
  }
}
