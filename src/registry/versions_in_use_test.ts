import { openDatabase } from "../database/mod.ts";
import { assertEquals, FakeClock } from "../testing/mod.ts";
import { openRegistry } from "./registry.ts";
import { REGISTRY_MIGRATIONS } from "./schema.ts";
import { newestVersions, versionsInUse } from "./versions_in_use.ts";

Deno.test("versions in use go by alias, with their tag; the newest by model", () => {
  const clock = new FakeClock(1000);
  using database = openDatabase(":memory:", REGISTRY_MIGRATIONS);
  const sources = { findRun: () => undefined, findLoggedModel: () => undefined };
  const { models, versions } = openRegistry({ database, clock, sources });
  models.create("a");
  models.create("empty");
  const tags = [{ key: "k", value: "0.25" }];
  versions.create({ name: "a", source: "s3://b/1", runId: "r1", tags });
  clock.advance(500);
  versions.create({ name: "a", source: "s3://b/2" });
  clock.advance(500);
  versions.create({ name: "a", source: "s3://b/3" });
  models.setAlias("a", "champion", "1");
  models.setAlias("a", "challenger", "2");
  assertEquals(versionsInUse(database, "k"), [
    { model: "a", alias: "challenger", version: "2", createdMs: 1500, runId: "", tag: undefined },
    { model: "a", alias: "champion", version: "1", createdMs: 1000, runId: "r1", tag: "0.25" },
  ]);
  assertEquals(newestVersions(database), [{ model: "a", createdMs: 2000 }]);
  versions.delete("a", "3");
  assertEquals(newestVersions(database), [{ model: "a", createdMs: 1500 }]);
});
