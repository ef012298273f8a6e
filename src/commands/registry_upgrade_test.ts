import { ARTIFACT_MIGRATIONS } from "../artifact/mod.ts";
import { silentLog } from "../core/mod.ts";
import { openDatabase } from "../database/mod.ts";
import { openRegistry, REGISTRY_MIGRATIONS } from "../registry/mod.ts";
import { rolloutMigrations } from "../rollout/mod.ts";
import { assertEquals, assertIncludes, FakeClock } from "../testing/mod.ts";
import { TRACKING_MIGRATIONS } from "../tracking/mod.ts";
import { openRegistryServer } from "./registry_server.ts";

/** The schema of the first release: what later ones add is not there. */
const FIRST = [
  ...ARTIFACT_MIGRATIONS,
  ...TRACKING_MIGRATIONS,
  ...REGISTRY_MIGRATIONS,
  ...rolloutMigrations,
].filter(({ id }) => id.endsWith("/0001"));

Deno.test("a data folder of the first release goes on: models, labels, and a history from then on", async () => {
  const folder = await Deno.makeTempDir(), clock = new FakeClock();
  {
    using database = openDatabase(`${folder}/serin.db`, FIRST, { clock });
    const sources = { findRun: () => undefined, findLoggedModel: () => undefined };
    const { models, versions } = openRegistry({ database, clock, sources });
    models.create("m");
    versions.create({ name: "m", source: "s3://b/1" });
    database.transaction((tx) => {
      tx.run("INSERT INTO model_alias VALUES (1, 'champion', 1)");
      tx.run("INSERT INTO rollout_quality VALUES ('m', '1', 10, 3)");
    });
  }
  const registry = await openRegistryServer({ dataFolder: folder, log: silentLog, clock });
  try {
    const { models } = registry.registry;
    assertEquals(models.get("m").aliases, [{ alias: "champion", version: "1" }]);
    assertEquals(models.aliasChanges("m"), []);
    models.removeAlias("m", "champion");
    const [{ previous, version, cause }] = models.aliasChanges("m");
    assertEquals([previous, version, cause], ["1", null, "api"]);
    const text = await (await registry.app.request("/metrics")).text();
    assertIncludes(text, 'serin_labelled_rows_total{model="m",model_version="1"} 10');
    const kept = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assertIncludes(kept.join(), "serin.db.before-");
  } finally {
    registry.close();
    await Deno.remove(folder, { recursive: true });
  }
});
