import type { Hono } from "hono";
import { rolloutStatusSchema, rolloutSummarySchema } from "../../control/mod.ts";
import { LIMITS, SeededRandom, silentLog, SystemRandom } from "../../core/mod.ts";
import { openDatabase } from "../../database/mod.ts";
import { FakeCatalog } from "../../rollout/fake_catalog.ts";
import {
  createTokenSealer,
  LABEL_OUTCOMES,
  RolloutEngine,
  rolloutMigrations,
} from "../../rollout/mod.ts";
import { LabelCounts } from "../../telemetry/mod.ts";
import { assertEquals, assertIncludes, FakeClock } from "../../testing/mod.ts";
import { rolloutRoutes } from "./mod.ts";

const ROLLOUTS = "/api/serin/v1/rollouts";
const SYNC = {
  replica: "pod-1",
  incarnation: "a",
  sequence: 1,
  models: [{
    model: "m",
    alias: "champion",
    held: [{ version: "1", warm: true }, { version: "2", warm: true }],
  }],
  counts: [],
};

function openApp() {
  const clock = new FakeClock(), catalog = new FakeCatalog({ m: { champion: "1" } });
  const database = openDatabase(":memory:", rolloutMigrations);
  const engine = new RolloutEngine({ database, catalog, clock, random: new SeededRandom(1) });
  const labels = new LabelCounts(LABEL_OUTCOMES);
  return { app: rolloutRoutes(engine, { log: silentLog, labels }), clock, catalog, labels };
}

// deno-lint-ignore no-explicit-any
type Json = any;

async function call(
  app: Hono,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: Json }> {
  const answer = await app.request(path, {
    method,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: answer.status, json: await answer.json() };
}

Deno.test("a rollout over HTTP: start, sync, list, status, abort", async () => {
  const { app, clock, catalog } = openApp();
  await call(app, "POST", "/api/serin/v1/sync", SYNC);
  const plan = { steps: [{ share: 0.25, seconds: 60 }], warmupSeconds: 0 };
  const started = await call(app, "POST", ROLLOUTS, { model: "m", challenger: 2, plan });
  assertEquals([started.status, started.json.phase, started.json.share], [201, "ramp", 0.25]);
  assertEquals(catalog.models.get("m")?.challenger, "2");
  const { id } = started.json;
  const totals = (requests: number, errors: number) => ({ requests, errors });
  const counts = [
    { rollout: id, step: 0, arm: "canary", totals: totals(20, 1) },
    { rollout: id, step: 0, arm: "stable", totals: totals(60, 1) },
  ];
  clock.advance(2000);
  const synced = await call(app, "POST", "/api/serin/v1/sync", { ...SYNC, sequence: 2, counts });
  assertEquals(synced.json.models[0].assignment.share, 0.25);
  const { json } = await call(app, "GET", `${ROLLOUTS}/${id}`);
  const [errors] = json.metrics;
  assertEquals([errors.metric, errors.canary, errors.stable.events], [
    "errors",
    { events: 1, trials: 20, rate: 0.05 },
    1,
  ]);
  assertEquals([json.evidenceNeeded, json.history.length > 1, errors.ratio.lower < 1], [
    200,
    true,
    true,
  ]);
  assertIncludes(json.verdict, "serving 25 % (step 1 of 1): 20 canary requests");
  const listed = (await call(app, "GET", ROLLOUTS)).json.rollouts;
  assertEquals(listed[0].id, id);
  // What clients know of the answers is all of them.
  assertEquals(rolloutStatusSchema.parse(json), json);
  assertEquals(rolloutSummarySchema.parse(listed[0]), listed[0]);
  assertEquals(json.stepCounts, [{ canaryRequests: 20, stableRequests: 60 }]);
  const aborted = await call(app, "POST", `${ROLLOUTS}/${id}/abort`);
  assertEquals([aborted.status, aborted.json.phase], [200, "aborted"]);
  assertEquals(catalog.models.get("m"), { champion: "1" });
  assertEquals((await call(app, "POST", `${ROLLOUTS}/${id}/promote`)).status, 409);
});

Deno.test("labels over HTTP: accepted and refused ones, each with its place, and counted", async () => {
  const { app, clock, labels: counts } = openApp();
  const { json: { tokenKeys } } = await call(app, "POST", "/api/serin/v1/sync", SYNC);
  const prediction = createTokenSealer(tokenKeys, new SystemRandom()).seal({
    model: "m",
    version: "1",
    rollout: undefined,
    step: 0,
    arm: "stable",
    time: clock.now(),
    keyHash: undefined,
    rows: 1,
    predictions: [{ label: 1 }],
  });
  const labels = [{ prediction, label: 1 }, { prediction: "junk", label: 1 }];
  const { json } = await call(app, "POST", "/v1/labels", { labels });
  assertEquals([json.accepted, json.refused[0].index, json.refused[0].code], [
    1,
    1,
    "invalid_token",
  ]);
  await call(app, "POST", "/v1/labels", { labels: [{ prediction, label: 0 }] });
  await call(app, "POST", "/v1/labels", { label: 1 });
  const seen = Object.fromEntries([...counts.entries()].filter(([, count]) => count > 0));
  assertEquals(seen, { accepted: 1, invalid_token: 1, already_labelled: 1, invalid_input: 1 });
});

Deno.test("errors: code, message and hint, every problem of a body, its size bounded", async () => {
  const { app } = openApp();
  const unknown = await call(app, "GET", `${ROLLOUTS}/r1`);
  assertEquals([unknown.status, unknown.json.error.code], [404, "not_found"]);
  const bad = await call(app, "POST", "/api/serin/v1/sync", {
    replica: "",
    sequence: -1,
    models: [],
    counts: [],
  });
  assertEquals(bad.status, 400);
  for (const field of ["replica", "incarnation", "sequence"]) {
    assertIncludes(bad.json.error.message, field);
  }
  assertEquals((await call(app, "POST", "/v1/labels", "{")).status, 400);
  const large = "x".repeat(LIMITS.syncBodyBytesMax + 1);
  const tooLarge = await call(app, "POST", "/api/serin/v1/sync", large);
  assertEquals([tooLarge.status, tooLarge.json.error.code], [413, "too_large"]);
  const many = { labels: Array(LIMITS.labelsMax + 1).fill({ prediction: "x", label: 1 }) };
  assertEquals((await call(app, "POST", "/v1/labels", many)).status, 413);
  const plan = { steps: [{ share: 0.5, seconds: 1 }, { share: 0.1, seconds: 1 }], alpha: 2 };
  const badPlan = await call(app, "POST", ROLLOUTS, { model: "m", challenger: "2", plan });
  assertIncludes(badPlan.json.error.message, "plan.alpha");
});
