import { Metrics } from "../../telemetry/mod.ts";
import { assertEquals, assertIncludes } from "../../testing/mod.ts";
import { AccessTokens } from "../access/mod.ts";
import { adminApp, type StatusAccess } from "./admin_app.ts";

function open(statusAccess: StatusAccess) {
  const app = adminApp({
    metrics: new Metrics(),
    ready: () => ({ ready: false, reasons: ["m: it is being loaded"] }),
    status: () => ({ replica: "r-1" }),
    statusAccess,
  });
  return async (path: string, headers: Record<string, string> = {}) => {
    const answer = await app.request(path, { headers });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
}

Deno.test("probes and metrics are open whatever the status wants; not ready says why", async () => {
  for (const access of ["open", "closed", new AccessTokens({ admin: "t" })] as const) {
    const get = open(access);
    assertEquals((await get("/livez")).status, 200);
    const ready = await get("/readyz");
    assertEquals([ready.status, JSON.parse(ready.text).reasons], [503, ["m: it is being loaded"]]);
    assertEquals((await get("/metrics")).status, 200);
    assertEquals((await get("/other")).status, 404);
  }
});

Deno.test("the status: to everybody, to nobody, or to who has the token", async () => {
  assertEquals((await open("open")("/status")).status, 200);
  const closed = await open("closed")("/status", { authorization: "Bearer t" });
  assertEquals(closed.status, 403);
  assertIncludes(closed.text, "--control-token-file");
  const get = open(new AccessTokens({ admin: "t" }));
  const without = await get("/status");
  assertEquals([without.status, without.headers.get("www-authenticate")], [
    401,
    'Basic realm="serin"',
  ]);
  const cases: [Record<string, string>, number][] = [
    [{ authorization: "Bearer t" }, 200],
    [{ authorization: `Basic ${btoa("anyone:t")}` }, 200],
    [{ "x-serin-authorization": "Bearer t", authorization: "Bearer of-a-proxy" }, 200],
    [{ authorization: "Bearer other" }, 401],
    [{ authorization: "t" }, 401],
  ];
  for (const [headers, status] of cases) {
    assertEquals((await get("/status", headers)).status, status, JSON.stringify(headers));
  }
});
