import { LIMITS, SerinError, silentLog } from "../../core/mod.ts";
import { assertEquals, assertIncludes } from "../../testing/mod.ts";
import { AccessTokens } from "../access/access_tokens.ts";
import { predictionRoutes, PREDICTIONS_PATH, type PredictionStore } from "./prediction_routes.ts";

const ADMIN = "admin-token-0123456789", REPLICA = "replica-token-0123456789";
const WEBHOOK = "webhook-token-0123456789";

function openApp(changes: { predictions?: PredictionStore | undefined; tokens?: boolean } = {}) {
  const seen: string[] = [], taken: Uint8Array[] = [];
  const app = predictionRoutes({
    predictions: "predictions" in changes ? changes.predictions : {
      cursorOf: (log) => ({ block: log.length, label: 0 }),
      take(packed) {
        taken.push(packed);
        return { cursor: { block: 1, label: 2 }, refused: [{ id: 1, message: "why" }] };
      },
    },
    tokens: changes.tokens
      ? new AccessTokens({ admin: ADMIN, replica: REPLICA, webhook: WEBHOOK })
      : undefined,
    onBatch: (outcome) => seen.push(outcome),
    log: silentLog,
  });
  const post = async (body: BodyInit, headers: Record<string, string> = {}) => {
    const answer = await app.request(PREDICTIONS_PATH, {
      method: "POST",
      headers: { "content-type": "application/octet-stream", ...headers },
      body,
    });
    return { answer, json: await answer.json() };
  };
  return { app, post, seen, taken };
}

Deno.test("a batch is taken and counted, and answered with how far the log has come", async () => {
  const { app, post, seen, taken } = openApp();
  const { answer, json } = await post(Uint8Array.of(1, 2, 3));
  assertEquals([answer.status, json], [
    200,
    { cursor: { block: 1, label: 2 }, refused: [{ id: 1, message: "why" }] },
  ]);
  assertEquals([seen, [...taken[0]]], [["taken"], [1, 2, 3]]);
  const asked = await app.request(`${PREDICTIONS_PATH}?log=abc`);
  assertEquals(await asked.json(), { cursor: { block: 3, label: 0 } });
  for (const query of ["", "?log=a&more=1", "?logs=a"]) {
    assertEquals((await app.request(`${PREDICTIONS_PATH}${query}`)).status, 400);
  }
  assertEquals(seen, ["taken"]);
});

Deno.test("without a folder for them, predictions are not found, and what to do is said", async () => {
  const { app, post } = openApp({ predictions: undefined });
  const { answer, json } = await post("");
  assertEquals([answer.status, json.error.code], [404, "not_found"]);
  assertIncludes(json.error.hint, "--prediction-log DIR");
  assertEquals((await app.request(`${PREDICTIONS_PATH}?log=a`)).status, 404);
});

Deno.test("replicas and the admin may send; others get nothing, and their batch is not read", async () => {
  const { app, post, seen, taken } = openApp({ tokens: true });
  for (const authorization of ["", "Bearer another-token-012345"]) {
    const { answer } = await post("x", { authorization });
    assertEquals(answer.status, 401);
    assertIncludes(answer.headers.get("www-authenticate") ?? "", "serin");
    const asked = await app.request(`${PREDICTIONS_PATH}?log=a`, { headers: { authorization } });
    assertEquals(asked.status, 401);
  }
  const { answer, json } = await post("x", { authorization: `Bearer ${WEBHOOK}` });
  assertEquals(answer.status, 403);
  assertIncludes(json.error.message, `The webhook's token may not POST ${PREDICTIONS_PATH}`);
  assertEquals(taken, []);
  for (const token of [REPLICA, ADMIN]) {
    const authorization = `Bearer ${token}`;
    assertEquals((await post("x", { authorization })).answer.status, 200);
    const asked = await app.request(`${PREDICTIONS_PATH}?log=a`, { headers: { authorization } });
    assertEquals(asked.status, 200);
  }
  const refused = ["unauthenticated", "unauthenticated", "permission_denied"];
  assertEquals(seen, [...refused, "taken", "taken"]);
});

Deno.test("refusals have serin's form and are counted by their code", async () => {
  const errors = [
    new SerinError("unavailable", "the disk is full"),
    new SerinError("invalid_input", "no batch"),
    new Error("a defect"),
  ];
  const { post, seen } = openApp({
    predictions: {
      cursorOf: () => ({ block: 0, label: 0 }),
      take() {
        throw errors.shift();
      },
    },
  });
  const statuses: number[] = [];
  for (let i = 0; i < 3; i++) statuses.push((await post("x")).answer.status);
  assertEquals(statuses, [503, 400, 500]);
  statuses.push((await post("x", { "content-type": "text/plain" })).answer.status);
  const large = `${LIMITS.predictionBatchBytesMax + 1}`;
  statuses.push((await post("x", { "content-length": large })).answer.status);
  assertEquals(statuses.slice(3), [415, 413]);
  assertEquals(seen, [
    "unavailable",
    "invalid_input",
    "internal",
    "unsupported_media_type",
    "too_large",
  ]);
});

Deno.test("no more batches are held at once than fit into memory", async () => {
  const { post, seen } = openApp();
  const senders: ReadableStreamDefaultController[] = [];
  const waiting = Array.from({ length: LIMITS.predictionBatchesMax }, () =>
    post(
      new ReadableStream({ start: (controller) => void senders.push(controller) }),
    ));
  const { answer, json } = await post("x");
  assertEquals([answer.status, json.error.code], [429, "limit_exceeded"]);
  for (const sender of senders) sender.close();
  for (const { answer } of await Promise.all(waiting)) assertEquals(answer.status, 200);
  assertEquals((await post("x")).answer.status, 200);
  assertEquals(seen.filter((outcome) => outcome === "taken").length, senders.length + 1);
});
