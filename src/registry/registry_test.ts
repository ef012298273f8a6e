import { openDatabase } from "../database/mod.ts";
import { assertEquals, assertSerinError, FakeClock } from "../testing/mod.ts";
import { openRegistry, parseModelUri, type Registry, REGISTRY_MIGRATIONS } from "./mod.ts";

const SOURCES = {
  findRun: (id: string) =>
    id === "r1" ? { artifactUri: "mlflow-artifacts:/1/r1/artifacts" } : undefined,
  findLoggedModel: (id: string) =>
    id === "m-1"
      ? { artifactLocation: "mlflow-artifacts:/1/models/m-1/artifacts", sourceRunId: "r1" }
      : undefined,
};

function withRegistry(test: (registry: Registry, clock: FakeClock) => Promise<void> | void) {
  return async () => {
    using database = openDatabase(":memory:", REGISTRY_MIGRATIONS);
    const clock = new FakeClock();
    await test(openRegistry({ database, clock, sources: SOURCES }), clock);
  };
}

/** A registry with "iris" and three versions. */
function withIris(test: (registry: Registry, clock: FakeClock) => Promise<void> | void) {
  return withRegistry(async (registry, clock) => {
    registry.models.create("iris");
    for (let i = 1; i <= 3; i++) {
      clock.advance(1);
      registry.versions.create({ name: "iris", source: `s3://b/${i}` });
    }
    await test(registry, clock);
  });
}

Deno.test(
  "an alias moves, and goes with its version",
  withIris(async ({ models, versions, catalog }) => {
    models.setAlias("iris", "champion", "1");
    models.setAlias("iris", "champion", "2");
    models.setAlias("iris", "challenger", "3");
    assertEquals(versions.get("iris", "1").aliases, []);
    assertEquals(models.getByAlias("iris", "champion").version, "2");
    assertEquals(models.getByAlias("iris", "latest").version, "3");
    versions.delete("iris", "2");
    await assertSerinError(() => models.getByAlias("iris", "champion"), "invalid_input");
    assertEquals(await catalog.findAliases("iris"), { challenger: "3" });
    await assertSerinError(() => models.setAlias("iris", "a", "2"), "not_found");
    models.delete("iris");
    assertEquals(await catalog.findAliases("iris"), undefined);
  }),
);

Deno.test(
  "a version's number is never given again",
  withIris(({ versions }) => {
    versions.delete("iris", "3");
    assertEquals(versions.create({ name: "iris", source: "s3://b/4" }).version, "4");
  }),
);

Deno.test(
  "the catalog answers undefined for what is not there",
  withIris(async ({ catalog }) => {
    assertEquals(await catalog.findVersion("iris", "9"), undefined);
    assertEquals(await catalog.findVersion("rose", "1"), undefined);
    assertEquals(await catalog.findDownloadUri("iris", "1"), "s3://b/1");
    await assertSerinError(() => catalog.setAlias("iris", "a", "9"), "not_found");
    await catalog.setAlias("iris", "a", "1");
    await catalog.removeAlias("iris", "a");
    await catalog.removeAlias("iris", "a");
  }),
);

Deno.test(
  "aliases and names that MLflow refuses are refused",
  withIris(async ({ models }) => {
    for (const alias of ["", "a b", "latest", "v1", "x".repeat(256)]) {
      await assertSerinError(() => models.setAlias("iris", alias, "1"), "invalid_input");
    }
    for (const name of ["", " ", "a/b", "a:b", "..", "x".repeat(257)]) {
      await assertSerinError(() => models.create(name), "invalid_input");
    }
    await assertSerinError(() => models.create("iris"), "already_exists", "already exists");
  }),
);

Deno.test(
  "a version's files must be of the run or model that it names",
  withIris(async ({ versions }) => {
    const create = (source: string, ids: { runId?: string; modelId?: string } = {}) =>
      versions.create({ name: "iris", source, ...ids });
    const own = "mlflow-artifacts:/1/r1/artifacts/model";
    assertEquals(create(own, { runId: "r1" }).source, own);
    assertEquals(create("runs:/r1/model", { runId: "r1" }).runId, "r1");
    const logged = create("models:/m-1", { modelId: "m-1" });
    assertEquals(
      [logged.runId, versions.downloadUri("iris", logged.version)],
      ["r1", "mlflow-artifacts:/1/models/m-1/artifacts"],
    );
    for (
      const [source, ids] of [
        [own, {}],
        [own, { runId: "r2" }],
        ["mlflow-artifacts:/1/other/artifacts", { runId: "r1" }],
        ["mlflow-artifacts:/1/r1/artifacts/../../other", { runId: "r1" }],
        ["mlflow-artifacts:/1/r1/artifacts/%2e%2e/%2e%2e/other", { runId: "r1" }],
        ["/etc/passwd", {}],
        ["/etc/passwd", { runId: "r1" }],
        ["file:///etc", { runId: "r1" }],
        ["s3://bucket/../x", {}],
        ["runs:/r1/model", {}],
        ["models:/m-1", {}],
        ["models://other/iris/1", {}],
        ["http://host/api/2.0/mlflow-artifacts/artifacts/1/r1", {}],
        ["no-scheme", {}],
      ] as const
    ) {
      await assertSerinError(() => create(source, ids), "invalid_input", "source");
    }
  }),
);

Deno.test(
  "a copy keeps pointing at the files of its origin",
  withIris(({ models, versions }) => {
    models.create("copy");
    models.setAlias("iris", "champion", "2");
    const copy = versions.create({ name: "copy", source: "models:/iris@champion" });
    assertEquals(copy.source, "models:/iris/2");
    versions.delete("iris", "2");
    assertEquals(versions.downloadUri("copy", "1"), "s3://b/2");
  }),
);

Deno.test(
  "a rename takes versions, tags and aliases along",
  withIris(async ({ models, versions }) => {
    models.setAlias("iris", "champion", "1");
    models.create("taken");
    await assertSerinError(() => models.rename("iris", "taken"), "already_exists");
    models.rename("iris", "flower");
    assertEquals(models.getByAlias("flower", "champion").version, "1");
    assertEquals(versions.search({ filter: "name = 'flower'", limit: 9 }).items.length, 3);
    await assertSerinError(() => models.get("iris"), "not_found");
  }),
);

Deno.test(
  "a stage is moved, and what was in it archived if asked for",
  withIris(async ({ models, versions }) => {
    versions.transition("iris", "1", "production", false);
    versions.transition("iris", "2", "Production", true);
    assertEquals(versions.get("iris", "1").stage, "Archived");
    assertEquals(models.latestVersions("iris", ["Production"]).map((v) => v.version), ["2"]);
    assertEquals(models.latestVersions("iris").map((v) => v.version), ["1", "2", "3"]);
    await assertSerinError(() => versions.transition("iris", "1", "x", false), "invalid_input");
    await assertSerinError(() => versions.transition("iris", "1", "None", true), "invalid_input");
  }),
);

Deno.test(
  "searches filter, order, page, and hide prompts",
  withIris(async ({ models, versions }) => {
    models.create("prompt", "", [{ key: "mlflow.prompt.is_prompt", value: "true" }]);
    models.create("rose", "", [{ key: "colour", value: "red" }]);
    const names = (filter?: string, orderBy?: string[]) =>
      models.search({ filter, orderBy, limit: 10 }).items.map(({ name }) => name);
    assertEquals(names(), ["iris", "rose"]);
    assertEquals(names(undefined, ["name DESC"]), ["rose", "iris"]);
    assertEquals(names("tags.colour = 'red'"), ["rose"]);
    assertEquals(names("name ILIKE 'R%'"), ["rose"]);
    assertEquals(names("tags.`mlflow.prompt.is_prompt` = 'true'"), ["prompt"]);
    const page = versions.search({ limit: 2, orderBy: ["version_number ASC"] });
    assertEquals(page.items.map(({ version }) => version), ["1", "2"]);
    const { nextPageToken: pageToken } = page;
    const rest = versions.search({ limit: 2, orderBy: ["version_number ASC"], pageToken });
    assertEquals(rest.items.map(({ version }) => version), ["3"]);
    assertEquals(versions.search({ limit: 9, filter: "version_number > '1'" }).items.length, 2);
    await assertSerinError(() => names("colour = 'red'"), "invalid_input", "Invalid attribute key");
    await assertSerinError(() => names(undefined, ["colour"]), "invalid_input", "order by key");
  }),
);

Deno.test("models:/ URIs are read in their four forms", () => {
  assertEquals(parseModelUri("models:/iris/3"), { name: "iris", version: "3" });
  assertEquals(parseModelUri("models:/iris@champion"), { name: "iris", alias: "champion" });
  assertEquals(parseModelUri("models:/iris/latest"), { name: "iris", alias: "latest" });
  assertEquals(parseModelUri("models:/m-0af"), { modelId: "m-0af" });
  for (const uri of ["models:/", "models:/iris", "models:/iris/x", "models://h/iris/1", "s3://b"]) {
    assertEquals(parseModelUri(uri), undefined);
  }
});
