import { parseCommandLine } from "../cli/mod.ts";
import { silentLog } from "../core/mod.ts";
import { OVERLAYS, renderKustomizeTree, renderManifests } from "../deploy/mod.ts";
import { assertEquals, assertIncludes, assertSerinError, assertTrue } from "../testing/mod.ts";
import { manifestsRenderCommand } from "./manifests_render.ts";
import { type ManifestsRenderOptions, run } from "./manifests_render_run.ts";
import { COMMANDS } from "./mod.ts";

async function render(options: Partial<ManifestsRenderOptions>): Promise<string> {
  const lines: string[] = [];
  await run({ set: [], ...options }, {
    log: silentLog,
    positionals: [],
    interactive: false,
    print: (line) => lines.push(line),
  });
  return lines.join("\n");
}

async function inTemporary(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function filesIn(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const visit = async (path: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder + path)) {
      if (isDirectory) await visit(`${path}/${name}`);
      else {
        const text = await Deno.readTextFile(`${folder}${path}/${name}`);
        files.set(`${path}/${name}`.slice(1), text);
      }
    }
  };
  await visit("");
  return files;
}

const sorted = (files: ReadonlyMap<string, string>) =>
  [...files].toSorted(([a], [b]) => a < b ? -1 : 1);

Deno.test("the committed manifests are those of this source", async () => {
  const committed = decodeURIComponent(new URL("../../manifests", import.meta.url).pathname);
  const found = await filesIn(committed);
  const wanted = renderKustomizeTree();
  const stale = [...new Set([...found.keys(), ...wanted.keys()])]
    .filter((path) => found.get(path) !== wanted.get(path));
  assertEquals(stale, [], "refresh: scripts/deno task dev manifests render --output manifests");
});

Deno.test("the overlays of the help are those that there are", () => {
  assertEquals(manifestsRenderCommand.options.shape.overlay.unwrap().options, [...OVERLAYS]);
});

Deno.test("documents are printed in the order of applying, with what is set", async () => {
  const text = await render({ overlay: "production", set: ["namespace=elsewhere"] });
  const documents = text.split("\n---\n");
  assertIncludes(documents[0], "kind: Namespace\nmetadata:\n  name: elsewhere");
  assertIncludes(documents[1], "kind: CustomResourceDefinition");
  assertIncludes(text, "minReplicas: 3");
});

Deno.test("a tree is written whole, and again without what is stale", () =>
  inTemporary(async (folder) => {
    const output = `${folder}/tree`;
    await render({ output });
    assertEquals(sorted(await filesIn(output)), sorted(renderKustomizeTree()));
    const set = ["serving.autoscaling=inflight-keda"];
    await render({ output, set });
    const files = await filesIn(output);
    assertEquals(sorted(files), sorted(renderKustomizeTree(set)));
    assertTrue(!files.has("components/hpa-inflight-keda/added.yaml"), "the component is stale");
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["tree"]);
  }));

Deno.test("a folder with files of others is left as it is", () =>
  inTemporary(async (folder) => {
    await render({ output: folder });
    await Deno.writeTextFile(`${folder}/base/mine.yaml`, "kind: Mine\n");
    await Deno.symlink("/etc/hostname", `${folder}/link.yaml`);
    const before = sorted(await filesIn(folder));
    await assertSerinError(
      () => render({ output: folder, set: ["namespace=other"] }),
      "already_exists",
      "base/mine.yaml, link.yaml",
    );
    assertEquals(sorted(await filesIn(folder)), before);
  }));

Deno.test("what cannot be done is said before anything is written", () =>
  inTemporary(async (folder) => {
    const output = `${folder}/tree`;
    await assertSerinError(() => render({ output, overlay: "dev" }), "usage", "--overlay dev");
    await assertSerinError(() => render({ output, set: ["nmespace=a"] }), "usage", "namespace");
    assertEquals([...Deno.readDirSync(folder)], []);
    await Deno.writeTextFile(output, "");
    await assertSerinError(() => render({ output }), "storage", "is a file");
  }));

/** The containers of an object, wherever it has its pod template. */
function containersOf(value: unknown): { command: string[]; args?: string[] }[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inside]) =>
    key === "containers" ? inside : containersOf(inside)
  );
}

Deno.test("what the containers run are command lines of serin, with their environment", () => {
  const env = { SERIN_TRAIN_DATA: "/data/train.csv", SERIN_WORKERS: "1" };
  const commands = (set: readonly string[]) =>
    renderManifests({ set }).flatMap(containersOf).map(({ command, args = [] }) => {
      assertEquals(command[0], "/serin");
      const words = [...command.slice(1), ...args];
      const parsed = parseCommandLine(COMMANDS, words, (name) => env[name as keyof typeof env]);
      return parsed.kind === "run" ? parsed.command.name : parsed.kind;
    }).toSorted();
  const always = ["controller", "registry", "serve", "train"];
  assertEquals(commands([]), always);
  for (const more of [[], ["retrain.trainIn=worker", "retrain.logRate=.5", "retrain.logSize=5M"]]) {
    const set = ["retrain.enabled=true", ...more];
    assertEquals(commands(set), [...always, "retrain serve"].toSorted());
  }
});
