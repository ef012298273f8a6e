import { LIMITS } from "../core/mod.ts";
import { openDatabase } from "../database/mod.ts";
import { assertEquals, assertSerinError, FakeClock } from "../testing/mod.ts";
import { openRegistry, type Registry, REGISTRY_MIGRATIONS } from "./mod.ts";

/** A registry with "iris" and three versions. */
function withIris(test: (registry: Registry, clock: FakeClock) => Promise<void> | void) {
  return async () => {
    using database = openDatabase(":memory:", REGISTRY_MIGRATIONS);
    const clock = new FakeClock();
    const sources = { findRun: () => undefined, findLoggedModel: () => undefined };
    const registry = openRegistry({ database, clock, sources });
    registry.models.create("iris");
    for (let i = 1; i <= 3; i++) registry.versions.create({ name: "iris", source: `s3://b/${i}` });
    await test(registry, clock);
  };
}

/** e.g. "champion 1→2 api", the newest first. */
function historyOf({ models }: Registry, name = "iris", alias?: string): string[] {
  return models.aliasChanges(name, { alias }).map((change) =>
    `${change.alias} ${change.previous ?? "–"}→${change.version ?? "–"} ${change.cause}` +
    (change.rollout === null ? "" : ` ${change.rollout}`)
  );
}

Deno.test(
  "every move is recorded with its cause, what moves nothing is not",
  withIris(async (registry, clock) => {
    const { models, catalog } = registry;
    models.setAlias("iris", "champion", "1");
    models.setAlias("iris", "champion", "1");
    models.setAlias("iris", "challenger", "2");
    clock.advance(5);
    await catalog.setAlias("iris", "champion", "2", { cause: "promotion", rollout: "r1" });
    await catalog.removeAlias("iris", "challenger", { cause: "promotion", rollout: "r1" });
    models.removeAlias("iris", "challenger");
    models.removeAlias("iris", "never");
    assertEquals(historyOf(registry), [
      "challenger 2→– promotion r1",
      "champion 1→2 promotion r1",
      "challenger –→2 api",
      "champion –→1 api",
    ]);
    assertEquals(historyOf(registry, "iris", "champion").length, 2);
    const [newest, oldest] = models.aliasChanges("iris", { alias: "champion" });
    assertEquals(newest.timeMs - oldest.timeMs, 5);
    assertEquals(models.aliasChanges("iris", { limit: 1 }).length, 1);
  }),
);

Deno.test(
  "deletions and renames are moves; a history outlives its model",
  withIris(async (registry) => {
    const { models, versions } = registry;
    models.setAlias("iris", "a", "1");
    models.setAlias("iris", "b", "1");
    models.setAlias("iris", "c", "2");
    versions.delete("iris", "1");
    assertEquals(historyOf(registry).slice(0, 2).toSorted(), [
      "a 1→– version_deletion",
      "b 1→– version_deletion",
    ]);
    models.rename("iris", "rose");
    assertEquals(historyOf(registry)[0], "c 2→– rename");
    assertEquals(historyOf(registry, "rose"), ["c –→2 rename"]);
    models.delete("rose");
    assertEquals(historyOf(registry, "rose")[0], "c 2→– model_deletion");
    await assertSerinError(() => models.aliasChanges("tulip"), "not_found");
    models.create("tulip");
    assertEquals(historyOf(registry, "tulip"), []);
  }),
);

Deno.test(
  "a refused move leaves no trace, and what is kept and listed is bounded",
  withIris(async (registry) => {
    const { models } = registry;
    await assertSerinError(() => models.setAlias("iris", "champion", "9"), "not_found");
    assertEquals(historyOf(registry), []);
    for (let i = 0; i < LIMITS.aliasChangesMax + 5; i++) {
      models.setAlias("iris", "champion", String(1 + (i % 2)));
    }
    models.setAlias("iris", "other", "3");
    const limit = LIMITS.aliasChangesMax;
    assertEquals(models.aliasChanges("iris", { alias: "champion", limit }).length, limit);
    assertEquals(historyOf(registry, "iris", "other"), ["other –→3 api"]);
    for (const limit of [0, -1, 1.5, NaN, LIMITS.aliasChangesMax + 1]) {
      await assertSerinError(() => models.aliasChanges("iris", { limit }), "invalid_input");
    }
  }),
);
