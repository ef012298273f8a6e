import { Hono } from "hono";
import { silentLog } from "../../core/mod.ts";
import { assertEquals, assertIncludes } from "../../testing/mod.ts";
import { accessControl, AccessTokens, originControl } from "./mod.ts";

const ADMIN = "admin-token-0123456789";
const REPLICA = "replica-token-0123456789";

/** Every request that gets past is answered 200, whatever it asks for. */
function openApp(): Hono {
  const app = new Hono();
  app.use(
    "*",
    accessControl(new AccessTokens({ admin: ADMIN, replica: REPLICA }), {
      log: silentLog,
    }),
  );
  app.all("*", (context) => context.text("past"));
  return app;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** The status that nobody, a wrong token, the replica's and the admin's get. */
async function statusesOf(method: string, path: string): Promise<string> {
  const app = openApp();
  const statuses: number[] = [];
  for (const headers of [{}, bearer("wrong"), bearer(REPLICA), bearer(ADMIN)]) {
    const response = await app.request(path, { method, headers });
    await response.body?.cancel();
    statuses.push(response.status);
  }
  return statuses.join(" ");
}

const OPEN = "200 200 200 200";
const FOR_REPLICAS = "401 401 200 200";
const FOR_ADMINS = "401 401 403 200";

Deno.test("every class of routes, for nobody, a wrong token, a replica and an admin", async () => {
  const mlflow = (prefix: string): [string, string][] => [
    [`GET ${prefix}/2.0/mlflow/registered-models/get`, FOR_REPLICAS],
    [`GET ${prefix}/2.0/mlflow/registered-models/alias`, FOR_REPLICAS],
    [`POST ${prefix}/2.0/mlflow/registered-models/alias`, FOR_ADMINS],
    [`DELETE ${prefix}/2.0/mlflow/registered-models/alias`, FOR_ADMINS],
    [`GET ${prefix}/2.0/mlflow/registered-models/search`, FOR_ADMINS],
    [`GET ${prefix}/2.0/mlflow/model-versions/get`, FOR_REPLICAS],
    [`GET ${prefix}/2.0/mlflow/model-versions/get-download-uri`, FOR_REPLICAS],
    [`POST ${prefix}/2.0/mlflow/model-versions/create`, FOR_ADMINS],
    [`POST ${prefix}/2.0/mlflow/model-versions/set-tag`, FOR_ADMINS],
    [`GET ${prefix}/2.0/mlflow/runs/get`, FOR_REPLICAS],
    [`POST ${prefix}/2.0/mlflow/runs/create`, FOR_ADMINS],
    [`POST ${prefix}/2.0/mlflow/runs/search`, FOR_ADMINS],
    [`GET ${prefix}/2.0/mlflow/experiments/get`, FOR_ADMINS],
    [`GET ${prefix}/2.0/mlflow/logged-models/m-1`, FOR_REPLICAS],
    [`GET ${prefix}/2.0/mlflow/logged-models/m-1/artifacts/files`, FOR_REPLICAS],
    [`PATCH ${prefix}/2.0/mlflow/logged-models/m-1`, FOR_ADMINS],
    [`DELETE ${prefix}/2.0/mlflow/logged-models/m-1`, FOR_ADMINS],
    [`GET ${prefix}/2.0/mlflow/artifacts/list`, FOR_REPLICAS],
    [`GET ${prefix}/2.0/mlflow-artifacts/artifacts`, FOR_REPLICAS],
    [`GET ${prefix}/2.0/mlflow-artifacts/artifacts/0/r/artifacts/a%20b.onnx`, FOR_REPLICAS],
    [`PUT ${prefix}/2.0/mlflow-artifacts/artifacts/0/r/artifacts/a`, FOR_ADMINS],
    [`DELETE ${prefix}/2.0/mlflow-artifacts/artifacts/0/r`, FOR_ADMINS],
    [`GET ${prefix}/3.0/mlflow/server-info`, FOR_REPLICAS],
  ];
  const table: [request: string, expected: string][] = [
    ...["/health", "/livez", "/readyz", "/version", "/metrics"].flatMap((path): typeof table => [
      [`GET ${path}`, OPEN],
      [`HEAD ${path}`, OPEN],
      [`GET ${path}?x=1`, OPEN],
      [`POST ${path}`, FOR_ADMINS],
      [`OPTIONS ${path}`, FOR_ADMINS],
    ]),
    ...mlflow("/api"),
    ...mlflow("/ajax-api"),
    ["POST /api/serin/v1/sync", FOR_REPLICAS],
    ["GET /api/serin/v1/rollouts", FOR_REPLICAS],
    ["HEAD /api/serin/v1/rollouts/r1", FOR_REPLICAS],
    ["GET /api/serin/v1/models/m/history?alias=champion", FOR_REPLICAS],
    ["POST /api/serin/v1/rollouts", FOR_ADMINS],
    ["POST /api/serin/v1/rollouts/r1/promote", FOR_ADMINS],
    ["POST /v1/labels", FOR_REPLICAS],
    ["GET /v1/labels", FOR_ADMINS],
    ["GET /", FOR_REPLICAS],
    ["GET /ui", FOR_REPLICAS],
    ["GET /ui/", FOR_REPLICAS],
    ["GET /ui/app.js", FOR_REPLICAS],
    ["POST /ui/", FOR_ADMINS],
    ["GET /get-artifact?run_id=r&path=p", FOR_REPLICAS],
    ["GET /model-versions/get-artifact", FOR_REPLICAS],
    ["GET /nothing", FOR_ADMINS],
  ];
  for (const [request, expected] of table) {
    const [method, path] = request.split(" ");
    assertEquals(await statusesOf(method, path), expected, request);
  }
});

Deno.test("another spelling of an open route is an unknown route: the admin's", async () => {
  const spellings = [
    ...["GET //health", "GET /health/", "GET /Health", "GET /health%2f", "GET /%2fhealth"],
    ...["GET /health;x", "GET /health%00", "GET /health%0a", "GET /x%2f..%2fhealth"],
    ...["GET /api//serin/v1/rollouts", "GET /API/serin/v1/rollouts", "GET /api/serin/v1"],
    ...["POST /api/serin/v1/sync/", "POST /api/serin/v1/sync%2f", "PUT /api/serin/v1/sync"],
    ...["POST /v1/labels/", "POST //v1/labels", "GET /api/2.0/mlflow/runs/get/"],
    ...["GET /api/2.0/mlflow/logged-models/a/b", "GET /api/api/2.0/mlflow/runs/get"],
    "OPTIONS /api/serin/v1/rollouts",
    ...["GET /api/2.0/mlflow/metrics", "GET /metrics%3fx"],
  ];
  for (const request of spellings) {
    const [method, path] = request.split(" ");
    assertEquals(await statusesOf(method, path), FOR_ADMINS, request);
  }
  // Decoded, these are the route itself, for the router as well.
  assertEquals(await statusesOf("GET", "/%68ealth"), OPEN);
  assertEquals(await statusesOf("POST", "/api/serin/v1/%73ync"), FOR_REPLICAS);
  const headers = { host: "x/health?" };
  assertEquals((await openApp().request("/health", { headers })).status, 401);
  // What hides behind a read is a read: the method decides.
  assertEquals(await statusesOf("GET", "/api/serin/v1/rollouts/x%0a/abort"), FOR_REPLICAS);
  assertEquals(await statusesOf("POST", "/api/serin/v1/rollouts/x%0a/abort"), FOR_ADMINS);
});

Deno.test("refusals: MLflow's form on MLflow's routes, serin's elsewhere, and a challenge", async () => {
  const app = openApp();
  const ask = async (path: string, headers: Record<string, string>) => {
    const response = await app.request(path, { method: "POST", headers });
    return { challenge: response.headers.get("www-authenticate"), json: await response.json() };
  };
  for (const path of ["/api/2.0/mlflow/runs/create", "/ajax-api/3.0/mlflow/x"]) {
    const { challenge, json } = await ask(path, {});
    assertEquals([challenge, json.error_code], ['Basic realm="serin"', "UNAUTHENTICATED"]);
    assertIncludes(json.message, "wants a token");
    const narrow = await ask(path, bearer(REPLICA));
    assertEquals([narrow.challenge, narrow.json.error_code], [null, "PERMISSION_DENIED"]);
  }
  const { challenge, json } = await ask("/api/serin/v1/rollouts", bearer("wrong"));
  assertEquals([challenge, json.error.code], ['Basic realm="serin"', "unauthenticated"]);
  assertIncludes(json.error.message, "none of this registry's");
  const narrow = await ask("/api/serin/v1/rollouts", bearer(REPLICA));
  assertEquals([narrow.challenge, narrow.json.error.code], [null, "permission_denied"]);
});

Deno.test("a page of another origin cannot use the password that a browser remembers", async () => {
  const app = openApp();
  const basic = { authorization: `Basic ${btoa(`me:${ADMIN}`)}` };
  const status = async (method: string, headers: Record<string, string>) =>
    (await app.request("http://registry:5000/api/serin/v1/rollouts", { method, headers })).status;
  assertEquals(await status("POST", basic), 200);
  assertEquals(await status("POST", { ...basic, origin: "http://registry:5000" }), 200);
  assertEquals(await status("POST", { ...basic, origin: "http://evil.example" }), 403);
  assertEquals(await status("POST", { ...basic, origin: "null" }), 403);
  assertEquals(await status("GET", { ...basic, origin: "http://evil.example" }), 200);
  assertEquals(await status("POST", { ...bearer(ADMIN), origin: "http://evil.example" }), 200);
  const proxied = { ...basic, origin: "https://ml.example", "x-forwarded-host": "ml.example" };
  assertEquals(await status("POST", proxied), 200);
  const ofItself = { ...basic, origin: "https://ml.example", "sec-fetch-site": "same-origin" };
  assertEquals(await status("POST", ofItself), 200);
  const ofAnother = { ...basic, origin: "https://ml.example", "sec-fetch-site": "same-site" };
  assertEquals(await status("POST", ofAnother), 403);
});

Deno.test("without tokens a page of another origin may look at what a browser lets it, and change nothing", async () => {
  const app = new Hono();
  app.use("*", originControl({ log: silentLog }));
  app.all("*", (context) => context.text("past"));
  const ask = async (method: string, headers: Record<string, string>, path = "/api/serin/v1/x") => {
    const answer = await app.request(`http://localhost:5000${path}`, { method, headers });
    return [answer.status, await answer.text()] as const;
  };
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    const [status, text] = await ask(method, { origin: "http://evil.example" });
    assertEquals(status, 403);
    assertIncludes(text, "another origin (http://evil.example)");
    assertEquals((await ask(method, { origin: "null" }))[0], 403);
    assertEquals((await ask(method, {}))[0], 200);
    assertEquals((await ask(method, { origin: "http://localhost:5000" }))[0], 200);
  }
  assertEquals((await ask("GET", { origin: "http://evil.example" }))[0], 200);
  const route = "/api/2.0/mlflow/registered-models/alias";
  const [, text] = await ask("POST", { origin: "http://evil.example" }, route);
  assertEquals(JSON.parse(text).error_code, "PERMISSION_DENIED");
});
