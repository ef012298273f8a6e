/**
 * The interface that scripts rely on: names of commands and flags, what stdout carries, headers and
 * the shapes of answers. Add to it; what stands here may not change.
 */
import { assertEquals, assertIncludes, assertTrue, linearModel } from "../src/testing/mod.ts";
import { sha256Hex } from "../src/core/mod.ts";
import { ask, type Json, post, Workbench } from "./support/workbench.ts";

const FLAGS: Record<string, string[]> = {
  train: ["--data", "--target", "--spec", "--registry", "--out", "--json", "--registry-token-file"],
  registry: [
    ...["--host", "--port", "--data", "--default-artifact-root", "--artifacts-destination"],
    ...["--admin-token-file", "--replica-token-file"],
  ],
  serve: [
    ...["--model", "--registry", "--host", "--port", "--admin-port", "--cache"],
    ...["--registry-token-file", "--workers"],
  ],
  predict: ["--model", "--input", "--output"],
  init: ["--model", "--json"],
  "data check": [
    ...["--data", "--spec", "--target", "--reference", "--allow-first", "--json", "--junit"],
  ],
  register: ["--model", "--name", "--verdict", "--tag", "--outputs", "--registry", "--json"],
  "deploy model": ["--model", "--canary", "--allow-first", "--timeout-seconds", "--registry"],
  smoke: ["--url", "--model", "--example", "--latency-ms-max", "--timeout-seconds", "--junit"],
  "canary plan": ["--model", "--file", "--registry"],
  "canary wait": ["--model", "--canary", "--timeout-seconds", "--registry", "--json"],
  "canary abort": ["--model", "--canary", "--registry", "--json"],
  "canary explain": ["--registry", "--registry-token-file", "--model", "--json"],
  "canary replay": ["--scenarios", "--scenario", "--runs", "--mode"],
  demo: ["--keep"],
  version: [],
};
const SCENARIOS = decodeURIComponent(
  new URL("./data/canary/scenarios.json", import.meta.url).pathname,
);

const keysOf = (value: Json) => Object.keys(value).sort();

Deno.test("every command is in the help, with its flags", async () => {
  await using bench = await Workbench.open();
  const { code, stdout, stderr } = await bench.run("--help");
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  for (const [command, flags] of Object.entries(FLAGS)) {
    assertIncludes(stdout, `\n  ${command} `);
    const help = await bench.run(...command.split(" "), "--help");
    assertEquals({ code: help.code, stderr: help.stderr }, { code: 0, stderr: "" });
    for (const flag of flags) {
      assertTrue(new RegExp(`^ +${flag}( |$)`, "m").test(help.stdout), `${command} ${flag}`);
    }
  }
});

Deno.test("train --json prints one JSON document and nothing else; the folder holds the model", async () => {
  await using bench = await Workbench.open();
  const rows = Array.from({ length: 400 }, (_, i) => `${(i * 37) % 100},${i % 7},${(i * 37) % 2}`);
  await bench.write("data.csv", `x,z,y\n${rows.join("\n")}\n`);
  await bench.write("train.yaml", "gbdt: {trees: 5}\n");
  const { code, stdout } = await bench.run(
    ...["train", "--data", "data.csv", "--target", "y", "--spec", "train.yaml"],
    ...["--out", "model", "--json"],
  );
  assertEquals(code, 0);
  const document = JSON.parse(stdout);
  assertEquals(stdout.trimEnd().split("\n").length, 1);
  assertTrue(/^[0-9a-f]{32}$/.test(document.run_id), document.run_id);
  assertEquals(document.model_sha256, sha256Hex(Deno.readFileSync(bench.path("model/model.onnx"))));
  assertTrue(typeof document.metrics.log_loss === "number", JSON.stringify(document.metrics));
  assertTrue(Deno.statSync(bench.path("model/MLmodel")).isFile, "MLmodel");
  const served = await bench.serve(["model", "--host", "127.0.0.1", "--workers", "1"]);
  assertEquals((await served.infer("model", { x: [1], z: [2] })).status, 200);
});

Deno.test("answers carry X-Request-Id, X-Serin-Model-Version and X-Serin-Prediction", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  const served = await bench.serve(["--model", "named=m.onnx"]);
  const row = { a: [1], b: [0] };
  const { headers, json } = await served.infer("named", row, { "x-request-id": "abc-1" });
  assertEquals(headers.get("x-request-id"), "abc-1");
  assertEquals(headers.get("x-serin-model-version"), "1");
  assertEquals(headers.get("x-serin-prediction"), json.parameters.serin_prediction);
  const scored = await post(`${served.url}/invocations`, { inputs: row });
  const uuid = /^[0-9a-f-]{36}$/;
  assertTrue(uuid.test(scored.headers.get("x-request-id")!), "an id of its own");
  assertEquals(scored.headers.get("x-serin-model-version"), "1");
  assertTrue(scored.headers.get("x-serin-prediction") !== null, "a token");
  // Errors can be traced, too; an id that could break a log is replaced.
  for (const [path, status] of [["/v2/models/named/infer", 400], ["/nowhere", 404]] as const) {
    const failed = await post(served.url + path, "{", { "x-request-id": "a b" });
    assertEquals(failed.status, status);
    assertTrue(uuid.test(failed.headers.get("x-request-id")!), path);
    assertTrue(["code", "error"].every((key) => key in failed.json), failed.text);
  }
});

Deno.test("POST /v1/labels answers accepted, and each refused one with index, code and message", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  const served = await bench.serve(["m.onnx"]);
  const { json } = await served.infer("m", { a: [1], b: [0] });
  const prediction = json.parameters.serin_prediction;
  const time = new Date().toISOString();
  const { status, json: answer } = await served.label([
    { prediction, row: 0, label: 1, time },
    { prediction: "unknown", row: 0, label: 1, time },
  ]);
  assertEquals(status, 200);
  assertEquals(keysOf(answer), ["accepted", "refused"]);
  assertEquals(answer.accepted, 1);
  const [refused] = answer.refused;
  assertEquals(keysOf(refused), ["code", "index", "message"]);
  assertEquals([refused.index, refused.code], [1, "invalid_token"]);
});

Deno.test("canary replay prints one JSON line a run, with these keys in this order", async () => {
  await using bench = await Workbench.open();
  const { code, stdout } = await bench.run(
    ...["canary", "replay", "--scenarios", SCENARIOS, "--scenario", "err_100pct_20rps"],
    ...["--runs", "0-2", "--mode", "request"],
  );
  assertEquals(code, 0);
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ run }) => run), [0, 1, 2]);
  for (const line of lines) {
    assertEquals(Object.keys(line), [
      ...["scenario", "run", "decision", "t", "canary_requests", "bad_total", "reason", "e"],
    ]);
    assertTrue(["rollback", "promote", "inconclusive"].includes(line.decision), line.decision);
  }
});

Deno.test("the registry puts files where it is told", async () => {
  await using bench = await Workbench.open();
  const process = await bench.start(
    ...["registry", "--host", "127.0.0.1", "--port", "0", "--data", "data"],
    ...["--default-artifact-root", "mlflow-artifacts:/", "--artifacts-destination", "elsewhere"],
  );
  const put = `${process.url}/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/a.txt`;
  const { status } = await ask(put, { method: "PUT", body: "hello" });
  assertEquals(status, 200);
  assertEquals((await ask(put)).text, "hello");
  assertEquals(bench.names(), ["data", "elsewhere"]);
  assertTrue([...Deno.readDirSync(bench.path("elsewhere"))].length > 0, "it is there");
});

Deno.test("the token of --registry-token-file goes with every request to the registry", async () => {
  await using bench = await Workbench.open();
  await bench.write("token", "s3cret\n");
  const seen = new Map<string, string | null>();
  await using registry = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      seen.set(new URL(request.url).pathname, request.headers.get("authorization"));
      return Response.json({ error_code: "PERMISSION_DENIED", message: "no" }, { status: 403 });
    },
  );
  const remote = [
    ...["--registry", `http://127.0.0.1:${registry.addr.port}`, "--registry-token-file", "token"],
    ...["--model", "models:/m@champion"],
  ];
  const served = await bench.serve(remote, { wait: false });
  assertEquals((await ask(`${served.adminUrl}/readyz`)).status, 503);
  await bench.write("rows.csv", "a,b\n1,0\n");
  const predict = ["predict", ...remote, "--input", "rows.csv", "--output", "out.csv"];
  assertEquals((await bench.run(...predict)).code, 1);
  assertEquals([...new Set(seen.values())], ["Bearer s3cret"]);
  assertTrue(seen.has("/api/serin/v1/sync") && seen.size > 1, [...seen.keys()].join());
  assertTrue(!served.process.stderr.includes("s3cret"), "it is in no log");
});
