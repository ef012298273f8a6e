/**
 * Bad input, through the whole program: each fault is told by name, place and value with a way out,
 * the exit code or HTTP status is right, and nothing half-written is left behind.
 */
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  linearModel,
  nonFiniteModel,
  unknownOperatorModel,
  until,
} from "../src/testing/mod.ts";
import { ask, inferBody, post, Workbench } from "./support/workbench.ts";

/** Nobody listens there: the port is reserved and bound by no one. */
const NOWHERE = "http://127.0.0.1:1";
/** The kernel lets nobody make files there, root included. */
const READ_ONLY = "/sys/serin-test";

/** A bench with `model.onnx` (columns a and b, no missing values) and `rows.csv`. */
async function openBench(): Promise<Workbench> {
  const bench = await Workbench.open();
  await bench.write("model.onnx", linearModel());
  await bench.write("rows.csv", "a,b\n1,0\n0,1\n");
  await bench.write("taken", "a file, no folder");
  return bench;
}

const predict = (input: string, model = "model.onnx") => [
  ...["predict", "--model", model, "--input", input, "--output", "out.csv"],
];

Deno.test("a broken CSV is told by line and column, to train and to predict", async () => {
  await using bench = await openBench();
  const faults: [name: string, text: string, ...parts: string[]][] = [
    ["open.csv", 'a,b\n1,2\n1,"2\n', "line 3", 'column "b"', "never closed"],
    ["after.csv", 'a,b\n1,2\n1,"2"x\n', "line 3", 'column "b"', '"x"'],
    ["short.csv", "a,b\n1,2\n1\n", "line 3", 'column "b" is missing', "1 field where"],
    ["long.csv", "a,b\n1,2,3\n", "line 2", 'no column after "b"', "3 fields where"],
    ["twice.csv", "a,a\n1,2\n", "line 1", '"a" stands there twice'],
    ["latin.csv", "a,b\n1,\xe9\n", "line 2", 'column "b"', "not valid UTF-8"],
  ];
  for (const [name, text, ...parts] of faults) {
    await bench.write(name, Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
    const train = ["train", "--data", name, "--target", "b", "--out", "out"];
    await bench.refused(train, 1, name, ...parts);
    await bench.refused(predict(name), 1, name, ...parts);
  }
});

Deno.test("a column that is missing at prediction time is named: predict ends with 1", async () => {
  await using bench = await openBench();
  await bench.write("other.csv", "a,price\n1,2\n");
  await bench.write("none.csv", "aa,price\n1,2\n");
  await bench.refused(predict("other.csv"), 1, "other.csv", 'column "b" is missing', "a, price");
  await bench.refused(
    predict("none.csv"),
    1,
    'column "a" is missing (did you mean "aa"?); column "b" is missing',
  );
});

Deno.test("serve answers 400 to what does not fit, with names, rows and values", async () => {
  await using bench = await openBench();
  const served = await bench.serve(["model.onnx"]);
  const infer = (body: unknown) => post(`${served.url}/v2/models/model/infer`, body);
  const score = (body: unknown) => post(`${served.url}/invocations`, body);
  const typed = (datatype: string, value: unknown) => {
    const { inputs } = inferBody({ a: [value], b: [0] });
    inputs[0].datatype = datatype;
    return { inputs };
  };
  const split = (data: unknown[][]) => ({ dataframe_split: { columns: ["a", "b"], data } });
  const faults: [ReturnType<typeof infer>, ...string[]][] = [
    [infer(inferBody({ a: [1] })), 'column "b" is missing', "b (FP32)"],
    [infer(inferBody({ a: [1], bb: [1] })), 'column "bb" is unknown (did you mean "b"?)'],
    [infer(typed("BYTES", "x")), 'Input "a": expected the datatype FP32, got BYTES'],
    [infer(typed("FP32", "x")), 'Input "a", row 0: expected FP32, got string "x"'],
    [infer(inferBody({ a: [1, null], b: [0, 0] })), 'Input "a", row 1: a missing value'],
    [infer({ inputs: [] }), "inputs"],
    [infer("{"), "no JSON"],
    [score({ dataframe_records: [{ a: 1 }] }), 'column "b" is missing'],
    [score(split([[1, 0], [1, "x"]])), 'Input "b", row 1: expected FP32, got string "x"'],
    [score(split([[1, 0], [NaN, 1]])), 'Input "a", row 1: a missing value'],
    [score(split([[1, 0], [1]])), "row 1 of dataframe_split has 1 values for 2 columns"],
    [score({}), "none is there", "dataframe_split"],
  ];
  for (const [asked, ...parts] of faults) {
    const { status, json, text } = await asked;
    assertEquals({ status, code: json.code }, { status: 400, code: "invalid_input" }, text);
    assertTrue(json.hint !== undefined, text);
    for (const part of parts) assertIncludes(`${json.error} ${json.hint}`, part);
  }
  assertEquals((await served.infer("model", { a: [1], b: [0] })).status, 200);
});

Deno.test("a wrong type and a missing value are told by column, row and value", async () => {
  await using bench = await openBench();
  await bench.write("text.csv", "a,b\n1,0\n1,many\n");
  await bench.refused(predict("text.csv"), 1, 'Column "b" must be FP32', 'row 1 holds "many"');
  await bench.write("missing.csv", "a,b\n1,0\n,0\n");
  await bench.refused(predict("missing.csv"), 1, 'Input "a", row 1: a missing value');
  await bench.write("nan.csv", "a,b\n1,0\n1,NaN\n");
  await bench.refused(predict("nan.csv"), 1, 'Input "b", row 1: a missing value');
  const late = Array.from({ length: 5000 }, (_, i) => i === 4711 ? "1," : "1,0");
  await bench.write("late.csv", `a,b\n${late.join("\n")}\n`);
  await bench.refused(predict("late.csv"), 1, 'Input "b", row 4711: a missing value');
  const target = "x,y\n1,0\n2,\n3,1\n";
  await bench.write("target.csv", target);
  const train = ["train", "--data", "target.csv", "--target", "y", "--out", "out"];
  await bench.refused(train, 1, '"y"', "data row 1");
});

Deno.test("a version that answers NaN: predict ends with 1, serve answers 500", async () => {
  await using bench = await openBench();
  await bench.write("nan.onnx", nonFiniteModel());
  await bench.write("high.csv", "a,b\n1,0\n1,0.95\n");
  await bench.refused(
    predict("high.csv", "nan.onnx"),
    1,
    'output "probabilities" holds NaN in row 1',
  );
  const served = await bench.serve(["nan.onnx"]);
  const { status, json } = await served.infer("nan", { a: [1], b: [0.95] });
  assertEquals({ status, code: json.code }, { status: 500, code: "inference_failed" });
});

Deno.test("a corrupt or truncated model file is refused, and named", async () => {
  await using bench = await openBench();
  await bench.write("cut.onnx", linearModel().slice(0, 150));
  await bench.write("folder/model.onnx", linearModel().slice(0, -1));
  await bench.write("text.onnx", "<html>not found</html>");
  await bench.write("empty.onnx", "");
  await Deno.mkdir(bench.path("nothing"));
  await Deno.mkdir(bench.path("cache"));
  const faults = [
    ["cut.onnx", "no ONNX model", "cut off"],
    ["folder", "no ONNX model", "cut off"],
    ["text.onnx", "no ONNX model"],
    ["empty.onnx", "0 bytes"],
    ["nothing", "no .onnx file"],
    ["not-there", "There is no file or folder"],
  ];
  const serve = ["serve", "--port", "0", "--admin-port", "0", "--cache", "cache"];
  for (const [path, ...parts] of faults) {
    await bench.refused([...serve, path], 1, path, ...parts);
    await bench.refused(predict("rows.csv", path), 1, path, ...parts);
  }
});

Deno.test("a model with an operator that cannot run is refused, and the operator named", async () => {
  await using bench = await openBench();
  await bench.write("odd.onnx", unknownOperatorModel());
  await Deno.mkdir(bench.path("cache"));
  const serve = ["serve", "--port", "0", "--admin-port", "0", "--cache", "cache"];
  for (const args of [[...serve, "odd.onnx"], predict("rows.csv", "odd.onnx")]) {
    await bench.refused(args, 1, "odd.onnx", "Frobnicate", "opset");
  }
});

Deno.test("a taken port is named with the flag that chooses another; nobody shares it", async () => {
  await using bench = await openBench();
  await Deno.mkdir(bench.path("cache"));
  await Deno.mkdir(bench.path("data"));
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(listener.addr.port);
  const serve = ["serve", "model.onnx", "--cache", "cache"];
  const registry = ["registry", "--port", port, "--data", "data"];
  await bench.refused(registry, 1, `127.0.0.1:${port}`, "--port");
  await bench.refused([...serve, "--admin-port", "0", "--port", port], 1, port, "with --port");
  const admin = [...serve, "--port", "0", "--admin-port", port];
  await bench.refused(admin, 1, port, "with --admin-port");
  // Data isolates share their port among themselves (reusePort), not with another serin.
  const first = await bench.serve(["model.onnx", "--workers", "2"]);
  const taken = new URL(first.url).port;
  for (const host of ["127.0.0.1", "0.0.0.0"]) {
    const second = [...serve, "--host", host, "--port", taken, "--admin-port", "0"];
    await bench.refused(second, 1, `Port ${taken} on ${host} is taken`, "with --port");
  }
  assertEquals((await first.infer("model", { a: [1], b: [0] })).status, 200);
});

Deno.test("an address that is not this machine's is told, and is no defect", async () => {
  await using bench = await openBench();
  for (const name of ["cache", "data"]) await Deno.mkdir(bench.path(name));
  const serve = ["serve", "model.onnx", "--port", "0", "--admin-port", "0", "--cache", "cache"];
  const registry = ["registry", "--port", "0", "--data", "data"];
  for (const args of [serve, registry]) {
    // 192.0.2.0/24 is kept for documentation.
    const said = await bench.refused([...args, "--host", "192.0.2.1"], 2, "192.0.2.1", "--host");
    assertTrue(!said.includes(" warn "), said);
  }
});

Deno.test("a folder that cannot be written is named, before any work is done", async () => {
  await using bench = await openBench();
  const rows = Array.from({ length: 400 }, (_, i) => `${i},${i % 2}`);
  await bench.write("data.csv", `x,y\n${rows.join("\n")}\n`);
  for (const place of ["taken/below", READ_ONLY]) {
    const train = ["train", "--data", "data.csv", "--target", "y", "--out", place];
    await bench.refused(["registry", "--port", "0", "--data", place], 1, place);
    const serve = ["serve", "model.onnx", "--port", "0", "--admin-port", "0", "--cache", place];
    await bench.refused(serve, 1, place);
    await bench.refused(train, 1, place === READ_ONLY ? place : "taken");
    const output = ["predict", "--model", "model.onnx", "--input", "rows.csv", "--output", place];
    await bench.refused(output, 1, place);
  }
  // There is a folder, but nothing can be made in it.
  await bench.refused(["registry", "--port", "0", "--data", "/sys/kernel"], 1, "/sys/kernel");
});

Deno.test("wrong command lines: every problem at once, what was meant, exit 2", async () => {
  await using bench = await openBench();
  await bench.refused(
    ["train", "--dta", "x.csv", "--targt=y", "--rows", "ten"],
    2,
    'unknown option --dta (did you mean "--data"?)',
    'unknown option --targt (did you mean "--target"?)',
    "--rows: must be two row numbers",
    "missing --out DIR",
  );
  await bench.refused(
    ["serve", "--port", "99999", "--workers", "0", "--wrkers", "2"],
    2,
    "--port: ",
    "--workers: ",
    'did you mean "--workers"?',
  );
  await bench.refused(["regsitry"], 2, 'no command "regsitry"', 'did you mean "registry"?');
  await bench.refused(["canary", "repaly"], 2, 'did you mean "canary replay"?');
  await bench.refused(["predict"], 2, "missing --model", "missing --input", "missing --output");
});

Deno.test("a model that needs a registry, or is written wrongly, is refused with the forms", async () => {
  await using bench = await openBench();
  await bench.refused(["serve"], 2, "nothing to serve", "serve FOLDER");
  await bench.refused(["serve", "--model", "models:/m@champion"], 2, "needs --registry URL");
  await bench.refused(predict("rows.csv", "models:/m@champion"), 2, "needs --registry URL");
  const wrong = ["models:/m", "models:/m@", "models:/m/x", "runs:/", "s3://bucket/m"];
  const models = wrong.flatMap((uri) => ["--model", uri]);
  await bench.refused(["serve", "--registry", NOWHERE, ...models], 2, ...wrong);
  for (const uri of wrong) {
    await bench.refused([...predict("rows.csv", uri), "--registry", NOWHERE], 2, uri, "models:/");
  }
  const twice = ["serve", "model.onnx", "--model", "model=rows.csv"];
  await bench.refused(twice, 2, 'two models are named "model"', "NAME=URI");
  const address = ["--registry", "localhost:5000", "--model", "models:/m@champion"];
  await bench.refused(
    ["serve", ...address, "--cache", "."],
    2,
    "localhost:5000",
    "http://host:port",
  );
});

Deno.test("a token file that is not there, or empty, is named; the exit code is 2", async () => {
  await using bench = await openBench();
  await bench.write("empty", "\n");
  const remote = ["--registry", NOWHERE, "--registry-token-file"];
  for (const file of ["no-such-token", "empty"]) {
    const serve = ["serve", "--model", "models:/m@champion", "--port", "0", "--admin-port", "0"];
    await bench.refused(
      [...serve, "--cache", ".", ...remote, file],
      2,
      file,
      "--registry-token-file",
    );
    const train = ["train", "--data", "rows.csv", "--target", "b", "--out", "out"];
    await bench.refused([...train, ...remote, file], 2, file, "--registry-token-file");
    const scored = predict("rows.csv", "models:/m@champion");
    await bench.refused([...scored, ...remote, file], 2, file, "--registry-token-file");
  }
});

Deno.test("train and predict without their registry end with 1 and leave nothing", async () => {
  await using bench = await openBench();
  const train = ["train", "--data", "rows.csv", "--target", "b", "--out", "out"];
  const told = ["Cannot reach http://127.0.0.1:1", "check that the server runs"];
  await bench.refused(
    [...train, "--registry", NOWHERE, "--registry-wait-seconds", "0"],
    1,
    ...told,
  );
  const scored = predict("rows.csv", "models:/m@champion");
  await bench.refused([...scored, "--registry", NOWHERE], 1, ...told);
});

Deno.test("serve without its registry is alive, not ready, says so once and goes on trying", async () => {
  await using bench = await openBench();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const models = ["--model", "models:/m@champion", "--model", "fixed=models:/m/1"];
  const remote = ["--registry", `http://127.0.0.1:${port}`, ...models];
  const served = await bench.serve(remote, { wait: false });
  assertEquals((await ask(`${served.adminUrl}/livez`)).status, 200);
  const ready = await ask(`${served.adminUrl}/readyz`);
  assertEquals(ready.status, 503);
  assertIncludes(ready.text, "m@champion: the registry has not answered yet");
  assertIncludes(ready.text, `fixed: Cannot reach http://127.0.0.1:${port}`);
  assertEquals((await ask(`${served.url}/v2/health/ready`)).status, 503);
  const refused = await served.infer("m", { a: [1], b: [0] });
  assertEquals({ status: refused.status, code: refused.json?.code }, {
    status: 503,
    code: "not_ready",
  });
  const told = () => served.process.stderr.split("the registry is out of reach").length - 1;
  await until("it is told", () => told() === 1);
  const { api } = await bench.registry(String(port));
  await api.client.models.setAlias("m", "champion", await api.register("m", linearModel()));
  await served.waitReady();
  for (const name of ["m", "fixed"]) {
    const answer = await served.infer(name, { a: [1], b: [0] });
    assertEquals(answer.headers.get("x-serin-model-version"), "1");
  }
  assertEquals(told(), 1);
  assertIncludes(served.process.stderr, "the registry answers again");
});
