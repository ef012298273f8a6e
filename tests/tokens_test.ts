/** Tokens, of the whole program: a registry that others reach, and its clients. */
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  linearModel,
  runSerin,
  type SerinProcess,
  TestRegistry,
  until,
} from "../src/testing/mod.ts";
import { ask, post, Workbench } from "./support/workbench.ts";

/** A registry on every address, with the tokens that it made itself. */
interface Guarded {
  readonly process: SerinProcess;
  readonly url: string;
  readonly port: number;
  readonly admin: string;
  readonly replica: string;
}

async function startGuarded(bench: Workbench, port = 0): Promise<Guarded> {
  const process = await bench.start(
    ...["registry", "--host", "0.0.0.0", "--port", String(port), "--data", bench.path("registry")],
  );
  const url = process.url.replace("//0.0.0.0", "//127.0.0.1");
  const read = (name: string) => Deno.readTextFileSync(bench.path(`registry/${name}`)).trim();
  const tokens = { admin: read("admin-token"), replica: read("replica-token") };
  return { process, url, port: Number(new URL(url).port), ...tokens };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Two versions of a model, the first of them the champion. */
async function register(url: string, token: string): Promise<TestRegistry> {
  const api = new TestRegistry(url, token);
  for (const weight of [1, 2]) await api.register("m", linearModel(weight));
  await api.client.models.setAlias("m", "champion", "1");
  return api;
}

/** The first line that a server answers to a request as it is written. */
async function rawStatus(port: number, head: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(`${head}\r\nConnection: close\r\n\r\n`));
  const text = await new Response(connection.readable).text().catch(() => "");
  return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? "closed";
}

Deno.test("bound to every address, a registry makes its tokens once and lets nobody past without", async () => {
  await using bench = await Workbench.open();
  const first = await startGuarded(bench);
  const rollouts = `${first.url}/api/serin/v1/rollouts`;
  for (const path of ["/health", "/livez", "/readyz", "/version", "/metrics"]) {
    assertEquals((await ask(first.url + path)).status, 200, path);
  }
  const nobody = await ask(rollouts);
  assertEquals(nobody.status, 401);
  assertEquals(nobody.headers.get("www-authenticate"), 'Basic realm="serin"');
  assertEquals((await ask(`${first.url}/ui/`)).status, 401);
  const basic = { authorization: `Basic ${btoa(`me:${first.replica}`)}` };
  assertEquals((await ask(`${first.url}/ui/`, { headers: basic })).status, 200);
  const proxied = {
    "x-serin-authorization": `Bearer ${first.admin}`,
    authorization: "Bearer of-a-proxy",
  };
  for (const headers of [bearer(first.admin), bearer(first.replica), basic, proxied]) {
    assertEquals((await ask(rollouts, { headers })).status, 200);
  }
  const said = first.process.stderr;
  assertIncludes(said, "admin-token");
  assertTrue(!said.includes(first.admin) && !said.includes(first.replica), "tokens are not logged");
  await first.process.stop();
  const second = await startGuarded(bench, first.port);
  assertEquals([second.admin, second.replica], [first.admin, first.replica]);
  assertEquals((await ask(rollouts, { headers: bearer(first.admin) })).status, 200);
});

Deno.test("request lines that no client writes lead nowhere without a token", async () => {
  await using bench = await Workbench.open();
  const { port, replica } = await startGuarded(bench);
  const search = "/api/2.0/mlflow/experiments/get?experiment_id=0";
  const lines = [
    `GET ${search} HTTP/1.1\r\nHost: x`,
    `GET /health/..${search} HTTP/1.1\r\nHost: x`,
    `GET /health/%2e%2e${search} HTTP/1.1\r\nHost: x`,
    `GET /.${search} HTTP/1.1\r\nHost: x`,
    `GET /${search} HTTP/1.1\r\nHost: x`,
    `GET http://evil/health/..${search} HTTP/1.1\r\nHost: x`,
    `GET ${search} HTTP/1.1\r\nHost: x/health?`,
    `GET ${search} HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: GET\r\nX-Original-URL: /health`,
    "OPTIONS * HTTP/1.1\r\nHost: x",
    "OPTIONS /api/serin/v1/rollouts HTTP/1.1\r\nHost: x",
    "PATCH /health HTTP/1.1\r\nHost: x",
    "get /metrics HTTP/1.1\r\nHost: x",
  ];
  for (const line of lines) {
    const status = await rawStatus(port, line);
    assertTrue(["401", "400", "closed"].includes(status), `${line}: ${status}`);
  }
  assertEquals(await rawStatus(port, "HEAD /metrics HTTP/1.1\r\nHost: x"), "200");
  const narrow = `${search} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${replica}`;
  for (const line of [`GET /ui/..${narrow}`, `GET /api/serin/v1/../../..${narrow}`]) {
    const status = await rawStatus(port, line);
    assertTrue(["403", "400", "404"].includes(status), `${line}: ${status}`);
  }
});

Deno.test("serve with a replica's token follows, rolls out and labels, and can move no alias", async () => {
  await using bench = await Workbench.open();
  const { url, admin, replica } = await startGuarded(bench);
  const api = await register(url, admin);
  const file = bench.path("registry/replica-token");
  const served = await bench.serve([
    ...["--registry", url, "--registry-token-file", file, "--model", "models:/m@champion"],
  ]);
  const answer = await served.infer("m", { a: [1], b: [0] });
  assertEquals([answer.status, answer.json.model_version], [200, "1"]);
  const plan = { steps: [{ share: 0.5, seconds: 3600 }], warmupSeconds: 0 };
  await api.call("POST", "rollouts", { model: "m", challenger: "2", plan });
  await served.waitSplit();
  const prediction = (await served.infer("m", { a: [1], b: [0] })).json.parameters.serin_prediction;
  const labelled = await served.label([{ prediction, row: 0, label: 1 }]);
  assertEquals([labelled.status, labelled.json.accepted], [200, 1], labelled.text);
  const [held] = (await api.call("GET", "replicas")).replicas;
  assertEquals([held.live, held.models[0].model], [true, "m"]);
  const alias = { name: "m", alias: "champion", version: "2" };
  const moved = await post(
    `${url}/api/2.0/mlflow/registered-models/alias`,
    alias,
    bearer(replica),
  );
  assertEquals([moved.status, moved.json.error_code], [403, "PERMISSION_DENIED"]);
  const aborted = await post(`${url}/api/serin/v1/rollouts/x/abort`, {}, bearer(replica));
  assertEquals([aborted.status, aborted.json.error.code], [403, "permission_denied"]);
  const { changes } = await api.call("GET", "models/m/history?alias=champion");
  assertEquals(changes.map(({ version }: { version: string }) => version), ["1"]);
  // The tokens are nowhere in what a replica says of itself.
  const shown = `${served.process.stderr}${JSON.stringify(await served.status())}`;
  assertTrue(!shown.includes(replica), "the token is not shown");
});

Deno.test("clients take the token from a file or the environment, and are told what is missing", async () => {
  await using bench = await Workbench.open();
  const { url, admin, replica } = await startGuarded(bench);
  await register(url, admin);
  const rows = Array.from({ length: 200 }, (_, i) => `${(i * 37) % 100},${i % 7},${(i * 37) % 2}`);
  await bench.write("rows.csv", `a,b,y\n${rows.join("\n")}\n`);
  await bench.write("train.yaml", "gbdt: {trees: 3}\n");
  const train = (out: string) => [
    ...["train", "--data", "rows.csv", "--target", "y", "--spec", "train.yaml", "--out", out],
    ...["--registry", url, "--register", "n"],
  ];
  const at = (env: Record<string, string>, ...args: string[]) =>
    runSerin(args, { cwd: bench.folder, env });
  const trained = await at({ SERIN_REGISTRY_TOKEN: admin }, ...train("a"));
  assertEquals(trained.code, 0, trained.stderr);
  const fallback = await at({ MLFLOW_TRACKING_TOKEN: admin }, ...train("b"));
  assertEquals(fallback.code, 0, fallback.stderr);
  const cases: [env: Record<string, string>, part: string][] = [
    [{}, "SERIN_REGISTRY_TOKEN"],
    [{ SERIN_REGISTRY_TOKEN: "not-the-right-token", MLFLOW_TRACKING_TOKEN: admin }, "none of this"],
    [{ SERIN_REGISTRY_TOKEN: replica }, "the admin's token"],
  ];
  for (const [env, part] of cases) {
    const { code, stderr } = await at(env, ...train("c"));
    assertEquals(code, 1, stderr);
    assertIncludes(stderr, part);
    assertIncludes(stderr, "hint: ");
    assertTrue(!stderr.includes(replica) && !stderr.includes("not-the-right"), stderr);
  }
  const env = { SERIN_REGISTRY: url, SERIN_REGISTRY_TOKEN: replica };
  const predict = ["--model", "models:/m@champion", "--input", "rows.csv", "--output", "out.csv"];
  const predicted = await at(env, "predict", ...predict);
  assertEquals(predicted.code, 0, predicted.stderr);
  const explained = await at(env, "canary", "explain");
  assertEquals(explained.code, 1);
  assertIncludes(explained.stderr, "The registry has no rollout yet");
});

Deno.test("a rollout is explained by id, by model and as JSON", async () => {
  await using bench = await Workbench.open();
  const { url, admin } = await startGuarded(bench);
  const api = await register(url, admin);
  const file = bench.path("registry/replica-token");
  const served = await bench.serve([
    ...["--registry", url, "--registry-token-file", file, "--model", "models:/m@champion"],
  ]);
  const plan = { steps: [{ share: 0.5, seconds: 3600 }], warmupSeconds: 0 };
  const { id } = await api.call("POST", "rollouts", { model: "m", challenger: "2", plan });
  await served.waitSplit();
  await until("a canary request is counted", async () => {
    await served.infer("m", { a: [1], b: [0] });
    return (await api.call("GET", `rollouts/${id}`)).canaryRequests > 0;
  });
  const explain = (...args: string[]) =>
    bench.run("canary", "explain", ...args, "--registry", url, "--registry-token-file", file);
  const text = await explain(id);
  assertEquals([text.code, text.stderr], [0, ""]);
  for (const part of [`Rollout ${id}: ramp`, "m version 2 (canary)", "errors", "serving 50 %"]) {
    assertIncludes(text.stdout, part);
  }
  assertTrue(!text.stdout.includes("\x1b"), "no colours where stdout is no terminal");
  const json = await explain("--model", "m", "--json");
  assertEquals([JSON.parse(json.stdout).id, json.stdout.trim().split("\n").length], [id, 1]);
  const unknown = await explain("r0");
  assertEquals(unknown.code, 1);
  assertIncludes(unknown.stderr, `there are ${id} (m version 2, ramp)`);
});
