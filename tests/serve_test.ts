/** `serin serve` as its users meet it: models from everywhere, the protocols, labels, start and end. */
import {
  assertClose,
  assertEquals,
  assertIncludes,
  assertTrue,
  linearModel,
  slowModel,
  until,
} from "../src/testing/mod.ts";
import { ask, inferBody, type Json, post, type Served, Workbench } from "./support/workbench.ts";

const ROW = { a: [1], b: [0] };
/** What {@linkcode linearModel} gives for it. */
const P1 = 1 / (1 + Math.exp(-1));

/** Sends bytes over a connection of its own. @returns what comes back until it is closed */
async function sendRaw(served: Served, parts: string[]): Promise<string> {
  const { hostname, port } = new URL(served.url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  for (const part of parts) await connection.write(new TextEncoder().encode(part));
  return await new Response(connection.readable).text();
}

/** The head of a JSON request that closes its connection. */
const head = (path: string, length: number) =>
  `POST ${path} HTTP/1.1\r\nHost: serin\r\nConnection: close\r\n` +
  `Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

const probability = ({ json }: { json: Json }) => json.outputs[1].data[1];

Deno.test("a folder is served with nothing but ports, and named after itself", async () => {
  await using bench = await Workbench.open();
  await bench.write("my-model/model.onnx", linearModel());
  const process = await bench.start("serve", "my-model/", "--port", "0", "--admin-port", "0");
  const url = process.url;
  await until("ready", async () => (await ask(`${url}/v2/health/ready`)).status === 200);
  const answer = await post(`${url}/v2/models/my-model/infer`, inferBody(ROW));
  assertEquals(answer.status, 200);
  assertClose(probability(answer), P1, 1e-6);
  // The default cache is in the folder that serin was started in.
  assertEquals(bench.names(), ["my-model", "serin-data"]);
});

Deno.test("the Open Inference Protocol: metadata, readiness, inference, a version by number", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  const served = await bench.serve(["m.onnx"]);
  const get = async (path: string) => await ask(served.url + path);
  const { json: server } = await get("/v2");
  assertEquals({ name: server.name, extensions: server.extensions }, {
    name: "serin",
    extensions: [],
  });
  assertEquals((await get("/v2/health/live")).status, 200);
  assertEquals((await get("/ping")).status, 200);
  const column = (name: string) => ({ name, datatype: "FP32", shape: [-1, 1] });
  for (const path of ["/v2/models/m", "/v2/models/m/versions/1"]) {
    const { json } = await get(path);
    assertEquals(json, {
      name: "m",
      versions: ["1"],
      platform: "onnx_onnxruntime",
      inputs: [column("a"), column("b")],
      outputs: [
        { name: "label", datatype: "INT64", shape: [-1] },
        { name: "probabilities", datatype: "FP32", shape: [-1, 2] },
      ],
    });
    assertEquals((await get(`${path}/ready`)).json, { name: "m", ready: true });
    const body = { id: "7", ...inferBody({ a: [1, 0], b: [0, 1] }), outputs: [{ name: "label" }] };
    const { json: answer } = await post(`${served.url}${path}/infer`, body);
    const { parameters, ...rest } = answer;
    assertTrue(parameters.serin_prediction.length > 20, "a token");
    assertEquals(rest, {
      model_name: "m",
      model_version: "1",
      id: "7",
      outputs: [{ name: "label", datatype: "INT64", shape: [2], data: [1, 0] }],
    });
  }
  assertEquals((await get("/v2/models/m/versions/2")).status, 404);
  assertEquals((await get("/v2/models/n")).status, 404);
  assertEquals((await get("/v3")).status, 404);
});

Deno.test("every form of /invocations gives what the Open Inference Protocol gives", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  const served = await bench.serve(["m.onnx"]);
  const a = [1, 0, 0.25], b = [0, 1, -0.5];
  const { json } = await served.infer("m", { a, b });
  const [labels, flat] = json.outputs.map((output: Json) => output.data);
  const rows = labels.map((label: number, i: number) => ({
    label,
    probabilities: flat.slice(2 * i, 2 * i + 2),
  }));
  const records = a.map((value, i) => ({ a: value, b: b[i] }));
  const table = { columns: ["b", "a"], data: a.map((value, i) => [b[i], value]) };
  const columns = { label: labels, probabilities: rows.map((row: Json) => row.probabilities) };
  const forms: [unknown, unknown][] = [
    [{ dataframe_split: table }, rows],
    [{ dataframe_records: records }, rows],
    [{ instances: records }, columns],
    [{ inputs: { a, b } }, columns],
  ];
  for (const [body, predictions] of forms) {
    const answer = await post(`${served.url}/invocations`, body);
    assertEquals(answer.json, { predictions }, JSON.stringify(body));
    assertEquals(answer.headers.get("x-serin-model-version"), "1");
    assertTrue(answer.headers.get("x-serin-prediction") !== null, "a token");
  }
  const csv = `"a",b\n${a.map((value, i) => `${value},${b[i]}`).join("\n")}\n`;
  const text = await post(`${served.url}/invocations`, csv, { "content-type": "text/csv" });
  assertEquals(text.json, { predictions: rows });
  const other = await post(`${served.url}/invocations`, "a", { "content-type": "text/plain" });
  assertEquals(other.status, 415);
});

Deno.test("an alias, a version, a run's folder and a file are served side by side", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  for (const weight of [1, 2]) await api.register("prices", linearModel(weight, -1));
  await api.client.models.setAlias("prices", "champion", "2");
  const { run_id } = await api.client.versions.get("prices", "1");
  await bench.write("own.onnx", linearModel(3, -1));
  const served = await bench.serve([
    ...["own.onnx", "--registry", api.url, "--model", "models:/prices@champion"],
    ...["--model", "first=models:/prices/1", "--model", `run=runs:/${run_id}/model`],
  ]);
  const seen: [string, string, number][] = [
    ["prices", "2", 2],
    ["first", "1", 1],
    ["run", "1", 1],
    ["own", "1", 3],
  ];
  for (const [name, version, weight] of seen) {
    const answer = await served.infer(name, ROW);
    assertEquals(answer.headers.get("x-serin-model-version"), version, name);
    assertClose(probability(answer), 1 / (1 + Math.exp(-weight)), 1e-6, name);
  }
  const { json } = await ask(`${served.url}/v2/models`);
  assertEquals(json.models.sort(), ["first", "own", "prices", "run"]);
  const unnamed = await post(`${served.url}/invocations`, { inputs: ROW });
  assertEquals(unnamed.status, 400);
  assertIncludes(unnamed.json.hint, "?model=NAME");
  const named = await post(`${served.url}/invocations?model=own`, { inputs: ROW });
  assertEquals(named.status, 200);
});

Deno.test("the admin port: liveness, readiness, metrics, status; the data port has none of them", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  const served = await bench.serve(["m.onnx"]);
  await served.infer("m", ROW);
  assertEquals((await ask(`${served.adminUrl}/livez`)).text, "ok\n");
  assertEquals((await ask(`${served.adminUrl}/readyz`)).json, { ready: true, reasons: [] });
  const { models, isolates } = await served.status();
  assertEquals({ models, isolates }, {
    models: [{ name: "m", stable: "1" }],
    isolates: { workers: 1, restarts: 0 },
  });
  await until("the request is on /metrics", async () => {
    const metrics = await served.metrics();
    return metrics.includes('serin_inference_requests_total{model="m",model_version="1"} 1\n');
  });
  for (const path of ["/livez", "/readyz", "/metrics", "/status"]) {
    assertEquals((await ask(served.url + path)).status, 404, path);
  }
});

Deno.test("ready only after the warm-up, and then at once fast", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  await api.client.models.setAlias("slow", "champion", await api.register("slow", slowModel(500)));
  const args = ["--registry", api.url, "--model", "models:/slow@champion"];
  const served = await bench.serve(args, { wait: false });
  const early = await ask(`${served.adminUrl}/readyz`);
  assertEquals(early.status, 503);
  assertIncludes(early.text, "version 1 is being loaded");
  await until("ready", async () => (await ask(`${served.adminUrl}/readyz`)).status === 200);
  await served.waitReady();
  assertEquals((await served.infer("slow", ROW)).status, 200);
});

Deno.test("SIGTERM: what is in flight is answered, the exit code is 0, within the grace", async () => {
  await using bench = await Workbench.open();
  await bench.write("slow.onnx", slowModel(1000));
  const served = await bench.serve(["slow.onnx"]);
  const asked = Array.from({ length: 20 }, () => served.infer("slow", ROW));
  await until("requests wait", async () => {
    const inflight = /\nserin_inflight_requests (\d+)\n/.exec(await served.metrics())?.[1];
    return Number(inflight) >= 3;
  });
  const started = performance.now();
  const ended = served.process.stop();
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  assertEquals(statuses, asked.map(() => 200));
  assertEquals({ ...await ended }, { success: true, code: 0, signal: null });
  assertTrue(performance.now() - started < 20_000, "within the grace");
});

Deno.test("a queue longer than an isolate may be silent is answered one by one, and harms nothing", async () => {
  await using bench = await Workbench.open();
  // More than LIMITS.isolateHangMsMax of work, on the machine that this was written on.
  await bench.write("slow.onnx", slowModel(1900, 0.9));
  const served = await bench.serve(["slow.onnx"]);
  const started = performance.now();
  const times: number[] = [];
  await Promise.all(Array.from({ length: 12 }, async () => {
    assertEquals((await served.infer("slow", { a: [1], b: [0.95] })).status, 200);
    times.push(performance.now() - started);
  }));
  const apart = times.filter((time, i) => i > 0 && time - times[i - 1] > times.at(-1)! / 40).length;
  assertTrue(apart >= 8, `answers came together: ${times.map(Math.round)}`);
  assertEquals((await served.status()).isolates.restarts, 0);
});

Deno.test("a body above the limit is refused with 413, before it is sent", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  const served = await bench.serve(["m.onnx"]);
  const large = 64 * 1024 * 1024 + 1;
  for (const path of ["/v2/models/m/infer", "/invocations", "/v1/labels"]) {
    const answer = await sendRaw(served, [head(path, large)]);
    assertIncludes(answer, "HTTP/1.1 413");
    assertIncludes(answer, `The body has at least ${large} bytes`);
  }
  // Without a declared length it is counted while it arrives.
  const chunk = new Uint8Array(1024 * 1024).fill(32);
  let chunks = 9;
  const body = new ReadableStream({
    pull: (controller) => chunks-- > 0 ? controller.enqueue(chunk) : controller.close(),
  });
  const streamed = await ask(`${served.url}/v1/labels`, { method: "POST", body });
  assertEquals({ status: streamed.status, code: streamed.json?.code }, {
    status: 413,
    code: "too_large",
  });
});

Deno.test("a body that trickles in holds nobody up", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  const served = await bench.serve(["m.onnx"]);
  const { hostname, port } = new URL(served.url);
  using slow = await Deno.connect({ hostname, port: Number(port) });
  const body = JSON.stringify(inferBody(ROW));
  const write = (text: string) => slow.write(new TextEncoder().encode(text));
  await write(head("/v2/models/m/infer", body.length) + body.slice(0, 10));
  for (let i = 0; i < 20; i++) assertEquals((await served.infer("m", ROW)).status, 200);
  await write(body.slice(10));
  assertIncludes(await new Response(slow.readable).text(), "HTTP/1.1 200");
});

Deno.test("two workers share the data port, and both answer", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  const served = await bench.serve(["m.onnx", "--workers", "2"]);
  const hex = Number(new URL(served.url).port).toString(16).toUpperCase().padStart(4, "0");
  const sockets = (await Deno.readTextFile("/proc/net/tcp")).split("\n");
  const listening = sockets.filter((line) => / 0A /.test(line) && line.includes(`:${hex} `));
  assertEquals(listening.length, 2);
  const body = JSON.stringify(inferBody(ROW));
  for (let i = 0; i < 30; i++) {
    const answer = await sendRaw(served, [head("/v2/models/m/infer", body.length), body]);
    assertIncludes(answer, "HTTP/1.1 200");
  }
  await until(
    "both count",
    async () =>
      (await served.metrics()).includes(
        'serin_inference_requests_total{model="m",model_version="1"} 30\n',
      ),
  );
});

Deno.test("labels: accepted, refused with place and reason, repeated without harm", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  const served = await bench.serve(["m.onnx"]);
  const { json } = await served.infer("m", { a: [1, 0], b: [0, 1] });
  const prediction = json.parameters.serin_prediction;
  const time = "2026-01-01T12:00:00+01:00";
  const first = await served.label([
    { prediction, row: 0, label: 1, time },
    { prediction: "no-token", label: 1 },
    { prediction, row: 1, label: 1 },
    { prediction, row: 2, label: 1 },
    { prediction: `${prediction.slice(0, -4)}AAAA`, label: 1 },
  ]);
  assertEquals(first.status, 200);
  const codes = ({ json }: { json: Json }) =>
    json.refused.map(({ index, code }: Json) => [index, code]);
  assertEquals(first.json.accepted, 2);
  assertEquals(codes(first), [
    [1, "invalid_token"],
    [3, "row_out_of_range"],
    [4, "invalid_token"],
  ]);
  assertIncludes(first.json.refused[1].message, "row 2 of an answer with 2 rows");
  const again = await served.label([
    { prediction, row: 0, label: 1 },
    { prediction, row: 0, label: 0 },
    { prediction, row: 1, label: "1" },
  ]);
  assertEquals(again.json.accepted, 2);
  assertEquals(codes(again), [[1, "already_labelled"]]);
  const wrong = await post(`${served.url}/v1/labels`, { labels: [{ row: 0, label: 1 }] });
  assertEquals(wrong.status, 400);
  assertIncludes(wrong.json.error, "labels.0.prediction");
  const page = await served.metrics();
  for (
    const counted of ["accepted 4", "invalid_token 2", "already_labelled 1", "invalid_input 1"]
  ) {
    const [outcome, count] = counted.split(" ");
    assertIncludes(page, `serin_labels_total{outcome="${outcome}"} ${count}\n`);
  }
  const many = Array.from({ length: 10_001 }, () => ({ prediction: "x", label: 1 }));
  assertEquals((await served.label(many)).status, 413);
});

Deno.test("without its registry a restarted server serves what it served last", async () => {
  await using bench = await Workbench.open();
  const { api, process } = await bench.registry();
  await api.client.models.setAlias("m", "champion", await api.register("m", linearModel()));
  await api.register("m", linearModel(2, -1));
  const args = [
    ...["--registry", api.url, "--model", "models:/m@champion", "--model", "second=models:/m/2"],
  ];
  const first = await bench.serve(args);
  await first.process.stop();
  await process.kill();
  const again = await bench.serve(args);
  assertClose(probability(await again.infer("m", ROW)), P1, 1e-6);
  assertEquals((await again.infer("second", ROW)).status, 200);
  assertIncludes(again.process.stderr, "serving the version of the last time, out of the cache");
  assertIncludes(await again.metrics(), "\nserin_registry_reachable 0\n");
});
