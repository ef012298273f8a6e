import { SerinError, sha256Hex, silentLog } from "../../core/mod.ts";
import type { Alert, DecisionRecord } from "../../retrain/mod.ts";
import { assertEquals, assertIncludes } from "../../testing/mod.ts";
import { AccessTokens } from "../access/access_tokens.ts";
import { retrainRoutes } from "./retrain_routes.ts";

const TOKEN = "a-token-0123456789", REPLICA = "replica-token-0123456789";
const HOOK = "webhook-token-0123456789";

const ROWS = "a,target\n1,0\n";

const RECORD: DecisionRecord = {
  ...{ id: "t1", model: "m", decision: "accepted", reason: "it begins", alerts: [], brakes: [] },
  ...{ firstMs: 1, lastMs: 1, times: 1, run: undefined },
};

const WEBHOOK = {
  ...{ version: "4", groupKey: "{}", status: "firing", receiver: "retrain" },
  alerts: [{
    status: "firing",
    labels: { alertname: "SerinModelDegraded", model: "m" },
    annotations: {},
    startsAt: "2026-11-24T10:00:00Z",
    fingerprint: "c1fe9e3ba8c9f0d5",
  }],
};

function openApp({ token, away = false }: { token?: string; away?: boolean } = {}) {
  const seen: string[] = [], received: Alert[] = [], asked: unknown[] = [];
  const opened: string[] = [];
  const app = retrainRoutes({
    retrainer: {
      receive(alerts) {
        if (away) throw new SerinError("unavailable", "Cannot reach the registry");
        received.push(...alerts);
        return Promise.resolve([RECORD]);
      },
      approve: (id) => ({ ...RECORD, id }),
      explain(id) {
        if (id === "t1") return RECORD;
        throw new SerinError("not_found", `There is no "${id}"`);
      },
      rowsOf(id) {
        if (id !== "t1") throw new SerinError("conflict", `${id} is queued`);
        const open = () => (opened.push(id), Promise.resolve(new Blob([ROWS]).stream()));
        return Promise.resolve({ bytes: ROWS.length, sha256: sha256Hex(ROWS), open });
      },
    },
    list: (query) => (asked.push(query), [RECORD]),
    tokens: token === undefined
      ? undefined
      : new AccessTokens({ admin: token, replica: REPLICA, webhook: HOOK }),
    onWebhook: (outcome) => seen.push(outcome),
    log: silentLog,
  });
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    app.request("/v1/alerts", {
      method: "POST",
      headers,
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return { app, post, seen, received, asked, opened };
}

Deno.test("a webhook is taken, counted, and answered with what was decided", async () => {
  const { post, seen, received } = openApp();
  const answer = await post(WEBHOOK);
  assertEquals(answer.status, 200);
  assertEquals((await answer.json()).decisions, [
    { id: "t1", model: "m", decision: "accepted", reason: "it begins" },
  ]);
  assertEquals([seen, received.length], [["taken"], 1]);
});

Deno.test("a body that is not Alertmanager's is 400 and counted, and reaches nobody", async () => {
  const { post, seen, received } = openApp();
  const large = JSON.stringify({ ...WEBHOOK, more: "x".repeat(2 * 1024 * 1024) });
  for (const body of ["", "{", "[]", {}, { ...WEBHOOK, version: "3" }]) {
    const answer = await post(body);
    assertEquals(answer.status, 400);
    assertEquals((await answer.json()).error.code, "invalid_input");
  }
  assertEquals((await post(large)).status, 413);
  assertEquals(seen, [...Array(5).fill("invalid_input"), "too_large"]);
  assertEquals(received, []);
});

Deno.test("while the registry is away Alertmanager is told to come again", async () => {
  const { post, seen } = openApp({ away: true });
  assertEquals((await post(WEBHOOK)).status, 503);
  assertEquals(seen, ["unavailable"]);
});

Deno.test("every route wants the token where there is one", async () => {
  const { app, post, seen } = openApp({ token: TOKEN });
  for (const headers of [{}, { authorization: "Bearer another-token-012345" }]) {
    const answer = await post(WEBHOOK, headers as Record<string, string>);
    assertEquals(answer.status, 401);
    assertIncludes(answer.headers.get("www-authenticate") ?? "", "serin");
    for (const path of ["", "/t1", "/t1/approve", "/t1/rows.csv"]) {
      const method = path.endsWith("approve") ? "POST" : "GET";
      const refused = await app.request(`/api/serin/v1/retrainings${path}`, {
        method,
        headers: headers as Record<string, string>,
      });
      assertEquals(refused.status, 401, path);
    }
  }
  const replica = { authorization: `Bearer ${REPLICA}` };
  const narrow = await post(WEBHOOK, replica);
  assertEquals(narrow.status, 403);
  assertIncludes((await narrow.json()).error.message, "A replica's token may not POST /v1/alerts");
  for (const path of ["", "/t1"]) {
    const refused = await app.request(`/api/serin/v1/retrainings${path}`, { headers: replica });
    assertEquals(refused.status, 403, path);
  }
  const authorization = `Bearer ${TOKEN}`;
  assertEquals((await post(WEBHOOK, { authorization })).status, 200);
  assertEquals(seen, ["unauthenticated", "unauthenticated", "permission_denied", "taken"]);
});

Deno.test("the webhook's token posts alerts and does nothing else", async () => {
  const { app, post, seen, asked, opened } = openApp({ token: TOKEN });
  const headers = { authorization: `Bearer ${HOOK}` };
  assertEquals((await post(WEBHOOK, headers)).status, 200);
  const others = [
    ...["GET /v1/alerts", "HEAD /v1/alerts", "PUT /v1/alerts", "DELETE /v1/alerts"],
    ...["GET /api/serin/v1/retrainings", "GET /api/serin/v1/retrainings/t1"],
    ...["HEAD /api/serin/v1/retrainings/t1/rows.csv", "GET /api/serin/v1/retrainings/t1/rows.csv"],
    ...["POST /api/serin/v1/retrainings/t1/approve", "DELETE /api/serin/v1/retrainings/t1"],
  ];
  for (const request of others) {
    const [method, path] = request.split(" ");
    const refused = await app.request(path, { method, headers });
    assertEquals(refused.status, 403, request);
    if (method === "HEAD") continue;
    const { error } = await refused.json();
    assertEquals([error.code, error.message], [
      "permission_denied",
      `The webhook's token may not ${request}`,
    ]);
    assertIncludes(error.hint, "POST /v1/alerts, and nothing else");
  }
  assertEquals([seen[0], asked, opened], ["taken", [], []]);
});

Deno.test("the rows of a retraining, with their length and digest", async () => {
  const { app, opened } = openApp();
  const ask = (id: string, method = "GET") =>
    app.request(`/api/serin/v1/retrainings/${id}/rows.csv`, { method });
  const head = await ask("t1", "HEAD");
  assertEquals([head.status, await head.text(), opened], [200, "", []]);
  const answer = await ask("t1");
  assertEquals([await answer.text(), opened], [ROWS, ["t1"]]);
  for (const { headers } of [head, answer]) {
    assertEquals(headers.get("content-length"), String(ROWS.length));
    assertEquals(headers.get("etag"), `"${sha256Hex(ROWS)}"`);
    const digest = Uint8Array.fromHex(sha256Hex(ROWS)).toBase64();
    assertEquals(headers.get("repr-digest"), `sha-256=:${digest}:`);
    assertIncludes(headers.get("content-type") ?? "", "text/csv");
  }
  assertEquals((await ask("t2")).status, 409);
  assertEquals((await ask("t1", "POST")).status, 404);
});

Deno.test("history and approval; what is unknown in a query is refused", async () => {
  const { app, asked } = openApp();
  const get = (path: string) => app.request(`/api/serin/v1/retrainings${path}`);
  assertEquals((await (await get("?model=m&limit=7")).json()).retrainings[0].id, "t1");
  await get("");
  assertEquals(asked, [{ model: "m", limit: 7 }, { model: undefined, limit: 50 }]);
  assertEquals((await get("/t1")).status, 200);
  assertEquals((await get("/t2")).status, 404);
  for (const query of ["?limit=0", "?limit=1001", "?limit=x", "?models=m"]) {
    assertEquals((await get(query)).status, 400, query);
  }
  const approved = await app.request("/api/serin/v1/retrainings/t9/approve", { method: "POST" });
  assertEquals((await approved.json()).id, "t9");
});
