import { createMlflowClient } from "../mlflow/mod.ts";
import { assertEquals, assertSerinError, FakeClock } from "../testing/mod.ts";
import { openMlflowRunLog } from "./train_run_log.ts";

const RUN = {
  run_id: "r1",
  experiment_id: "1",
  artifact_uri: "mlflow-artifacts:/1/r1/artifacts",
};

/** A server that knows the answers by route, and remembers what was sent. */
function fakeServer(answers: Record<string, unknown>) {
  const sent: { route: string; body: string }[] = [];
  const fetch = async (input: URL | Request | string, init: RequestInit = {}) => {
    const route = new URL(String(input)).pathname.replace("/api/2.0/", "");
    const body = init.body === undefined ? "" : await new Response(init.body).text();
    sent.push({ route, body });
    const answer = Object.entries(answers).find(([part]) => route.startsWith(part));
    if (answer === undefined) return Response.json({ error_code: "INTERNAL" }, { status: 500 });
    return Response.json(answer[1]);
  };
  return { sent, client: createMlflowClient({ baseUrl: "http://server", fetch }) };
}

const ANSWERS = {
  "mlflow/experiments/get-by-name": {
    experiment: { experiment_id: "1", name: "prices", lifecycle_stage: "active" },
  },
  "mlflow/runs/create": { run: { info: RUN, data: {} } },
  "mlflow/runs/log-batch": {},
  "mlflow/runs/update": {},
  "mlflow-artifacts/artifacts": {},
  "mlflow/registered-models/create": {},
  "mlflow/model-versions/create": { model_version: { name: "m", version: "3", source: "s" } },
};

const START = {
  experiment: "prices",
  name: undefined,
  params: { long: "x".repeat(7000) },
  tags: { a: "b" },
};

Deno.test("a run, its metrics, its model's files and the version are sent", async () => {
  const { sent, client } = fakeServer(ANSWERS);
  const log = openMlflowRunLog(client, new FakeClock());
  assertEquals(await log.start(START), "r1");
  await log.logMetrics([{ key: "auc", value: 0.9, step: 5 }]);
  await log.logModel(new Map([["MLmodel", new TextEncoder().encode("a: 1")]]));
  assertEquals(await log.register("m", { "serin.training_request": "t1" }), "3");
  await log.finish("FINISHED");
  const bodyOf = (route: string) => JSON.parse(sent.find((call) => call.route === route)!.body);
  const batch = bodyOf("mlflow/runs/log-batch");
  assertEquals(batch.params[0].value.length, 6000);
  const file = sent.find((call) => call.route.startsWith("mlflow-artifacts"))!;
  assertEquals(file, {
    route: "mlflow-artifacts/artifacts/1/r1/artifacts/model/MLmodel",
    body: "a: 1",
  });
  const version = bodyOf("mlflow/model-versions/create");
  assertEquals(version, {
    ...{ name: "m", source: `${RUN.artifact_uri}/model`, run_id: "r1" },
    tags: [{ key: "serin.training_request", value: "t1" }],
  });
  const update = bodyOf("mlflow/runs/update");
  assertEquals([update.status, update.end_time], ["FINISHED", new FakeClock().now()]);
});

Deno.test("a run whose parameters are refused is marked failed", async () => {
  const { "mlflow/runs/log-batch": _, ...answers } = ANSWERS;
  const { sent, client } = fakeServer(answers);
  await assertSerinError(
    () => openMlflowRunLog(client, new FakeClock()).start(START),
    "unavailable",
  );
  assertEquals(sent.at(-1)!.route, "mlflow/runs/update");
});
