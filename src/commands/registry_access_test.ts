import { AccessTokens } from "../api/access/mod.ts";
import { silentLog } from "../core/mod.ts";
import { assertEquals, assertIncludes, assertSerinError, assertTrue } from "../testing/mod.ts";
import { openRegistryServer } from "./registry_server.ts";
import { isLoopback, openAccessTokens, readTokens } from "./registry_tokens.ts";

const ADMIN = "admin-token-0123456789";
const REPLICA = "replica-token-0123456789";

/** What a replica's token opens of all that the registry has. */
const REPLICA_ROUTES = [
  "GET /",
  ...["/api", "/ajax-api"].flatMap((prefix) => [
    `GET ${prefix}/2.0/mlflow-artifacts/artifacts`,
    `GET ${prefix}/2.0/mlflow-artifacts/artifacts/x`,
    `GET ${prefix}/2.0/mlflow/artifacts/list`,
    `GET ${prefix}/2.0/mlflow/logged-models/x`,
    `GET ${prefix}/2.0/mlflow/logged-models/x/artifacts/directories`,
    `GET ${prefix}/2.0/mlflow/logged-models/x/artifacts/files`,
    `GET ${prefix}/2.0/mlflow/model-versions/get`,
    `GET ${prefix}/2.0/mlflow/model-versions/get-download-uri`,
    `GET ${prefix}/2.0/mlflow/registered-models/alias`,
    `GET ${prefix}/2.0/mlflow/registered-models/get`,
    `GET ${prefix}/2.0/mlflow/registered-models/get-latest-versions`,
    `GET ${prefix}/2.0/mlflow/runs/get`,
    `GET ${prefix}/3.0/mlflow/server-info`,
  ]),
  "GET /api/serin/v1/models/x/history",
  "GET /api/serin/v1/replicas",
  "GET /api/serin/v1/rollouts",
  "GET /api/serin/v1/rollouts/x",
  "GET /get-artifact",
  "GET /model-versions/get-artifact",
  "GET /ui",
  "GET /ui/x",
  "POST /api/serin/v1/sync",
  "POST /v1/labels",
];
const OPEN_ROUTES = ["GET /health", "GET /livez", "GET /metrics", "GET /readyz", "GET /version"];

Deno.test("every route of the registry: who gets past, without a token and with a replica's", async () => {
  const folder = await Deno.makeTempDir();
  const openTokens = () => Promise.resolve(new AccessTokens({ admin: ADMIN, replica: REPLICA }));
  const registry = await openRegistryServer({ dataFolder: folder, log: silentLog, openTokens });
  const statusOf = async (route: string, token?: string) => {
    const [method, path] = route.split(" ");
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const response = await registry.app.request(path, { method, headers });
    await response.body?.cancel();
    return response.status;
  };
  try {
    const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    const routes = registry.app.routes.filter(({ path }) => path !== "/*").flatMap((route) => {
      const path = route.path.replace(/:\w+|\*/g, "x");
      return (route.method === "ALL" ? methods : [route.method]).map((m) => `${m} ${path}`);
    });
    const all = [...new Set(routes)].toSorted();
    assertTrue(all.length > 150, `the routes are those of the whole registry: ${all.length}`);
    const open: string[] = [], forReplicas: string[] = [];
    for (const route of all) {
      const nobody = await statusOf(route), replica = await statusOf(route, REPLICA);
      if (nobody !== 401) open.push(route);
      else if (replica !== 403) forReplicas.push(route);
      const admin = await statusOf(route, ADMIN);
      assertTrue(admin !== 401 && admin !== 403, `${route} is the admin's: ${admin}`);
    }
    assertEquals(open, OPEN_ROUTES);
    assertEquals(forReplicas.toSorted(), REPLICA_ROUTES.toSorted());
  } finally {
    registry.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("without tokens a page of another origin changes nothing", async () => {
  const folder = await Deno.makeTempDir();
  const registry = await openRegistryServer({ dataFolder: folder, log: silentLog });
  // A browser sends this for any page, and asks nobody before.
  const promote = async (headers: Record<string, string>) => {
    const url = "http://127.0.0.1:5000/api/serin/v1/rollouts/r1/promote";
    const answer = await registry.app.request(url, { method: "POST", headers });
    return [answer.status, (await answer.json()).error.code];
  };
  assertEquals(await promote({ origin: "http://evil.example" }), [403, "permission_denied"]);
  assertEquals(await promote({ origin: "http://127.0.0.1:5000" }), [404, "not_found"]);
  assertEquals(await promote({}), [404, "not_found"]);
  registry.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("probes: alive and ready, and not ready once the database does not answer", async () => {
  const folder = await Deno.makeTempDir();
  const registry = await openRegistryServer({ dataFolder: folder, log: silentLog });
  const ask = (path: string) => registry.app.request(path);
  assertEquals([(await ask("/livez")).status, (await ask("/readyz")).status], [200, 200]);
  registry.close();
  const notReady = await ask("/readyz");
  assertEquals([(await ask("/livez")).status, notReady.status], [200, 503]);
  assertEquals((await notReady.json()).reasons, ["the database does not answer"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("tokens of files and environment: a file goes first, white space is no part", async () => {
  const folder = await Deno.makeTempDir();
  const file = async (name: string, text: string) => {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    return `${folder}/${name}`;
  };
  const adminTokenFile = await file("a", `  ${ADMIN}\r\n`);
  const where = { host: "127.0.0.1", data: folder };
  assertEquals(await readTokens(where), undefined);
  const tokens = await readTokens({
    ...where,
    adminTokenFile,
    adminToken: "another-0123456789",
    replicaToken: `${REPLICA}\n`,
  });
  assertEquals(
    [ADMIN, REPLICA, "another-0123456789"].map((token) => tokens?.roleOf(token)),
    ["admin", "replica", undefined],
  );
  const refused = async (given: Parameters<typeof readTokens>[0], ...parts: string[]) => {
    const error = await assertSerinError(() => readTokens(given), "configuration", ...parts);
    assertEquals(error.exit, 2);
    assertTrue(!`${error.message}${error.hint}`.includes("tiny-secret"), "no value in an error");
  };
  const short = await file("short", "tiny-secret\n"), empty = await file("empty", " \n");
  await refused({ ...where, adminTokenFile: short }, "--admin-token-file", "at least 16");
  await refused({ ...where, adminToken: "tiny-secret" }, "SERIN_ADMIN_TOKEN", "at least 16");
  await refused({ ...where, adminTokenFile: empty }, empty, "is empty");
  await refused({ ...where, adminToken: "  " }, "SERIN_ADMIN_TOKEN", "is empty");
  await refused({ ...where, adminToken: "tiny-secret with spaces" }, "no single word");
  await refused({ ...where, adminTokenFile: `${folder}/none` }, "Cannot read", `${folder}/none`);
  await refused({ ...where, replicaToken: REPLICA }, "no admin token");
  await refused({ ...where, adminTokenFile, replicaToken: ADMIN }, "the same token");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("no token given: open on loopback, elsewhere made once, for the owner's eyes only", async () => {
  const data = await Deno.makeTempDir();
  const said: string[] = [];
  const note = (message: string, facts?: unknown) => said.push(message + JSON.stringify(facts));
  const log = { ...silentLog, info: note, warn: note };
  assertEquals(await openAccessTokens(undefined, { host: "127.0.0.1", data }, log), undefined);
  assertEquals([...Deno.readDirSync(data)].length, 0);
  const made = await openAccessTokens(undefined, { host: "0.0.0.0", data }, log);
  const read = (name: string) => Deno.readTextFileSync(`${data}/${name}`).trim();
  const admin = read("admin-token"), replica = read("replica-token");
  assertEquals([made?.roleOf(admin), made?.roleOf(replica)], ["admin", "replica"]);
  for (const token of [admin, replica]) assertTrue(/^[\w-]{43}$/.test(token), "32 bytes");
  for (const name of ["admin-token", "replica-token"]) {
    assertEquals(Deno.statSync(`${data}/${name}`).mode! & 0o777, 0o600);
  }
  const again = await openAccessTokens(undefined, { host: "::", data }, log);
  assertEquals(again?.roleOf(admin), "admin");
  assertEquals([...Deno.readDirSync(data)].length, 2);
  assertEquals(said.length, 2);
  assertIncludes(said[0], `${data}/admin-token`);
  assertTrue(!said.join().includes(admin) && !said.join().includes(replica), "no value is logged");
  await Deno.writeTextFile(`${data}/replica-token`, "");
  await assertSerinError(
    () => openAccessTokens(undefined, { host: "0.0.0.0", data }, log),
    "configuration",
    `${data}/replica-token`,
  );
  await Deno.remove(data, { recursive: true });
});

Deno.test("only what is surely this machine's own address is loopback", () => {
  for (const host of ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"]) {
    assertTrue(isLoopback(host), host);
  }
  for (const host of ["0.0.0.0", "::", "127.evil.example", "localhost.example", "10.0.0.1", "h"]) {
    assertTrue(!isLoopback(host), host);
  }
});
