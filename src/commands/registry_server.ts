import { addProbeRoutes } from "../api/ops/mod.ts";
import { observationRoutes, rolloutRoutes } from "../api/rollout/mod.ts";
import { refuseUnfinishedRestore } from "../backup/mod.ts";
import { type Clock, type Log, SerinError, systemClock, SystemRandom } from "../core/mod.ts";
import type { Reader } from "../database/mod.ts";
import { gateRefusal } from "../gate/mod.ts";
import type { Registry } from "../registry/mod.ts";
import {
  DEFAULT_PLAN,
  DELAY_BOUNDS,
  LABEL_OUTCOMES,
  type ModelCatalog,
  RolloutEngine,
  rolloutMigrations,
  type RolloutPlan,
} from "../rollout/mod.ts";
import {
  addLabelMetrics,
  addModelMetrics,
  addProcessMetrics,
  addQualityMetrics,
  addRolloutMetrics,
  LabelCounts,
  Metrics,
  sharedReading,
} from "../telemetry/mod.ts";
import { type Page, PAGE_HEADERS, readPages } from "../web/mod.ts";
import { keepTicking } from "./engine_clock.ts";
import { readModels } from "./model_readings.ts";
import { planOfTags } from "./plan_tag.ts";
import {
  openRegistryApp,
  type RegistryApp,
  type RegistryAppOptions,
  type RegistryParts,
} from "./registry_app.ts";

/**
 * Opens the whole registry: MLflow's API, sync, labels and rollouts, metrics, and the page that shows
 * them.
 *
 * @throws {SerinError} as {@linkcode openRegistryApp}; `conflict` where a restore has not ended
 */
export async function openRegistryServer(options: RegistryAppOptions): Promise<RegistryApp> {
  await refuseUnfinishedRestore(options.dataFolder);
  const pages = await readPages();
  let stopTicking = () => {};
  const opened = await openRegistryApp({
    ...options,
    migrations: rolloutMigrations,
    mount: (app, parts) => {
      const engine = openEngine(parts, options);
      stopTicking = keepTicking(engine, options.log);
      const labels = new LabelCounts(LABEL_OUTCOMES);
      app.route("/", rolloutRoutes(engine, { log: options.log, labels }));
      app.route("/", observationRoutes({ engine, registry: parts.registry }, options));
      addProbeRoutes(app, () => parts.database.read(answers), options.log);
      const metrics = openMetrics(engine, parts, options.clock ?? systemClock);
      addLabelMetrics(metrics, labels);
      app.get(
        "/metrics",
        async () =>
          new Response(await metrics.text(), { headers: { "content-type": metrics.contentType } }),
      );
      const toPage = () => new Response(null, { status: 302, headers: { location: "/ui/" } });
      app.get("/", toPage);
      app.get("/ui", toPage);
      app.get("/ui/*", (c) => pageOf(pages, c.req.path.slice("/ui/".length)));
    },
  });
  return {
    ...opened,
    close() {
      stopTicking();
      opened.close();
    },
  };
}

function openMetrics(
  engine: RolloutEngine,
  { database, tracking }: RegistryParts,
  clock: Clock,
): Metrics {
  const metrics = new Metrics();
  addProcessMetrics(metrics, "registry");
  addRolloutMetrics(metrics, () => engine.metrics());
  // One scrape reads several metrics of each: they are of the same moment.
  addQualityMetrics(metrics, DELAY_BOUNDS, sharedReading(() => engine.quality(), clock));
  const models = sharedReading(() => readModels(database, tracking), clock);
  addModelMetrics(metrics, { read: models, now: () => clock.now() });
  return metrics;
}

/** A row of a table that is always there: the file, its schema and its pages answer. */
function answers(reader: Reader): void {
  reader.get("SELECT id FROM serin_migration LIMIT 1");
}

function openEngine(parts: RegistryParts, options: RegistryAppOptions): RolloutEngine {
  return new RolloutEngine({
    database: parts.database,
    catalog: toModelCatalog(parts.registry),
    clock: options.clock ?? systemClock,
    random: options.random ?? new SystemRandom(),
    log: options.log,
    planFor: (model) => planOf(parts.registry, model, options.log),
    refusalOf: (model, version) => refusalOf(parts.registry, model, version),
  });
}

/** A version that is not there is refused by whoever looks for it, not by its gate. */
function refusalOf(
  { models, versions }: Registry,
  model: string,
  version: string,
): string | undefined {
  try {
    return gateRefusal(models.get(model).tags, versions.get(model, version).tags);
  } catch (thrown) {
    if (thrown instanceof SerinError && thrown.code === "not_found") return undefined;
    throw thrown;
  }
}

/** The two steps of a promotion are taken in one turn; a crash between them is made good at start. */
function toModelCatalog({ catalog }: Registry): ModelCatalog {
  return {
    findAliases: (model) => catalog.findAliases(model),
    setAlias: (model, alias, version, reason) => catalog.setAlias(model, alias, version, reason),
    removeAlias: (model, alias, reason) => catalog.removeAlias(model, alias, reason),
    async promote({ model, alias, version, remove, reason }) {
      await catalog.setAlias(model, alias, version, reason);
      await catalog.removeAlias(model, remove, reason);
    },
  };
}

function planOf(registry: Registry, model: string, log: Log): RolloutPlan {
  try {
    return planOfTags(model, registry.models.get(model).tags, log);
  } catch (thrown) {
    if (thrown instanceof SerinError && thrown.code === "not_found") return DEFAULT_PLAN;
    throw thrown;
  }
}

function pageOf(pages: ReadonlyMap<string, Page>, path: string): Response {
  const page = pages.get(path);
  if (page === undefined) return new Response("There is no such page\n", { status: 404 });
  const headers = {
    ...PAGE_HEADERS,
    "content-type": page.contentType,
    "cache-control": "no-cache",
  };
  return new Response(page.body, { headers });
}
