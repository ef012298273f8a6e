import { assertEquals, assertIncludes, assertSerinError, FakeClock } from "../testing/mod.ts";
import { checkUrl, runSmoke, type SmokePlan } from "./smoke_checks.ts";
import { type Metadata, readExample, zeroRow } from "./smoke_request.ts";

const METADATA: Metadata = {
  name: "m",
  versions: ["1", "2"],
  inputs: [
    { name: "a", datatype: "FP32", shape: [-1, 1] },
    { name: "b", datatype: "FP32", shape: [-1, 1] },
  ],
  outputs: [{ name: "label", datatype: "INT64", shape: [-1] }],
};
const ANSWER = {
  model_name: "m",
  model_version: "2",
  outputs: [{ name: "label", datatype: "INT64", shape: [1], data: [0] }],
};

/** A server that answers by path: a status, or a body; a list is one a request, the last one stays. */
async function smoke(answers: Record<string, unknown>, given: Partial<SmokePlan> = {}) {
  const clock = new FakeClock(), asked: string[] = [];
  const fetch = (url: string) => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    clock.advance(3);
    const all = { "/v2/health/ready": {}, ...answers } as Record<string, unknown>;
    const given = all[pathname];
    const answer = Array.isArray(given) && given.length > 1 ? given.shift() : [given].flat()[0];
    if (answer === undefined) return Promise.reject(new TypeError("connection refused"));
    return Promise.resolve(
      typeof answer === "number"
        ? Response.json({ error: "no" }, { status: answer })
        : Response.json(answer),
    );
  };
  const plan: SmokePlan = {
    url: "http://s",
    model: "m",
    version: "2",
    request: zeroRow,
    requests: 3,
    latencyMsMax: 50,
    timeoutMs: 1000,
    ...given,
  };
  const sleep = (ms: number) => Promise.resolve(clock.advance(ms));
  const checks = await runSmoke(plan, { fetch: fetch as typeof globalThis.fetch, clock, sleep });
  return { checks, asked };
}

const WELL = {
  "/v2/models/m/versions/2": METADATA,
  "/v2/models/m/versions/2/ready": {},
  "/v2/models/m/versions/2/infer": ANSWER,
};

/** All checks but the last pass; the last one fails with these words. */
async function checkFails(answers: Record<string, unknown>, id: string, part: string, plan = {}) {
  const { checks } = await smoke({ ...WELL, ...answers }, plan);
  assertEquals(checks.slice(0, -1).every(({ passed }) => passed), true, JSON.stringify(checks));
  const last = checks.at(-1)!;
  assertEquals([last.id, last.passed], [id, false]);
  assertIncludes(last.sentence, part);
}

Deno.test("a version that is as it must be, also one that comes late", async () => {
  const late = { "/v2/health/ready": [503, {}], "/v2/models/m/versions/2": [404, 404, METADATA] };
  for (const answers of [WELL, { ...WELL, ...late }]) {
    const { checks } = await smoke(answers);
    assertEquals(checks.map(({ id, passed }) => [id, passed]), [
      ...[["ready", true], ["version", true], ["answer", true], ["latency", true]],
    ]);
    assertIncludes(checks[3].sentence, "median 3.0 ms, slowest 3.0 ms; 50 ms are allowed");
  }
});

Deno.test("without a version the server chooses, and any may answer", async () => {
  const { checks, asked } = await smoke({
    "/v2/models/m": METADATA,
    "/v2/models/m/ready": {},
    "/v2/models/m/infer": { ...ANSWER, model_version: "1" },
  }, { version: undefined });
  assertEquals(checks.map(({ passed }) => passed), [true, true, true, true]);
  assertEquals(asked.at(-1), "/v2/models/m/infer");
});

Deno.test("what is not well is told, and nothing after it", async () => {
  await checkFails({ "/v2/health/ready": undefined }, "ready", "connection refused");
  await checkFails({ "/v2/health/ready": 503 }, "ready", "answered 503");
  await checkFails({ "/v2/models/m/versions/2": 404 }, "version", "answered 404");
  await checkFails({ "/v2/models/m/versions/2": { hello: 1 } }, "version", "nothing of the Open");
  const infer = "/v2/models/m/versions/2/infer";
  await checkFails({ [infer]: [ANSWER, 500] }, "answer", "request 2 of 3: ");
  await checkFails({ [infer]: { ...ANSWER, model_version: "1" } }, "answer", "version 1 answered");
  const output = ANSWER.outputs[0];
  const withOutput = (change: object) => ({ ...ANSWER, outputs: [{ ...output, ...change }] });
  await checkFails({ [infer]: withOutput({ name: "x" }) }, "answer", 'no output "label"');
  await checkFails({ [infer]: withOutput({ shape: [2] }) }, "answer", "2 rows for 1");
  await checkFails({ [infer]: withOutput({ data: [null] }) }, "answer", "no number");
  await checkFails({}, "latency", "median 3.0 ms", { latencyMsMax: 2 });
});

Deno.test("an example in either of MLflow's forms, or in the protocol's", async () => {
  const split = { dataframe_split: { columns: ["b", "a"], data: [[1, 2], [3, null]] } };
  const records = { dataframe_records: [{ b: 1, a: 2 }, { b: 3 }] };
  const wanted = {
    inputs: [
      { name: "a", datatype: "FP32", shape: [2, 1], data: [2, null] },
      { name: "b", datatype: "FP32", shape: [2, 1], data: [1, 3] },
    ],
  };
  for (const example of [split, records, wanted]) {
    assertEquals(readExample(JSON.stringify(example), "e.json", METADATA) as unknown, wanted);
  }
  const read = (text: string) => () => readExample(text, "e.json", METADATA);
  await assertSerinError(read("{"), "invalid_data", "e.json is not JSON");
  await assertSerinError(read('{"rows": 1}'), "invalid_data", "no example request");
  const lacking = '{"dataframe_records": [{"a": 1}]}';
  await assertSerinError(read(lacking), "invalid_data", "lacks columns that the model takes: b");
  await assertSerinError(() => checkUrl("localhost:8080"), "usage", "must be an http(s) address");
});
