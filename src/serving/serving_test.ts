import { silentLog, systemClock } from "../core/mod.ts";
import type { Assignment } from "../rollout/sync.ts";
import { Metrics } from "../telemetry/mod.ts";
import {
  assertClose,
  assertEquals,
  assertIncludes,
  assertTrue,
  failingModel,
  FakePeer,
  hangingModel,
  linearModel,
  nonFiniteModel,
  unknownOperatorModel,
  until,
} from "../testing/mod.ts";
import { ModelCache } from "./model_cache.ts";
import { openServing, type Serving } from "./serving.ts";

const CANARY: Assignment = {
  rollout: "r1",
  stable: "1",
  canary: "2",
  step: 0,
  share: 0.5,
  salt: "salt",
  latencyTolerance: { relative: 0.2, absoluteMs: 1 },
};

interface Bed {
  serving: Serving;
  peer: FakePeer;
  infer(a: number, b: number, headers?: Record<string, string>): Promise<Response>;
}

/** Serves `electricity@champion` out of the given versions, for the length of a test. */
async function withServing(
  versions: Record<string, Uint8Array>,
  test: (bed: Bed) => Promise<void>,
  workers = 1,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const peer = new FakePeer();
  const serving = await openServing({
    host: "127.0.0.1",
    port: 0,
    adminPort: 0,
    workers,
    replica: "r-1",
    models: new Map([["electricity", { kind: "alias", model: "electricity", alias: "champion" }]]),
    peer,
    source: {
      identify: (model, version) => Promise.resolve(`${model} ${version}`),
      fetchVersion: (_, version) => Promise.resolve({ bytes: versions[version] }),
      fetchRun: () => Promise.reject(new Error("no runs here")),
    },
    cache: await ModelCache.open(folder),
    metrics: new Metrics(),
    clock: systemClock,
    log: silentLog,
  });
  const infer = (a: number, b: number, headers: Record<string, string> = {}) =>
    fetch(`${serving.url}/v2/models/electricity/infer`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({
        inputs: [["a", a], ["b", b]].map(([name, value]) => ({
          name,
          shape: [1],
          datatype: "FP32",
          data: [value],
        })),
      }),
    });
  try {
    await until("ready", async () => (await get(`${serving.url}/v2/health/ready`)).status === 200);
    await test({ serving, peer, infer });
  } finally {
    await serving.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether a canary has that share of the traffic. */
async function isRouted(serving: Serving, share: number): Promise<boolean> {
  return (await get(`${serving.adminUrl}/status`)).text.includes(`"share":${share}`);
}

async function get(url: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(url);
  return { status: answer.status, text: await answer.text() };
}

Deno.test("a followed model answers by the Open Inference Protocol, with a token", async () => {
  await withServing({ "1": linearModel() }, async ({ serving, infer }) => {
    const answer = await infer(1, 0, { "x-request-id": "abc" });
    assertEquals(answer.status, 200);
    assertEquals(answer.headers.get("x-request-id"), "abc");
    assertEquals(answer.headers.get("x-serin-model-version"), "1");
    const body = await answer.json();
    assertEquals(body.parameters.serin_prediction, answer.headers.get("x-serin-prediction"));
    assertEquals(body.outputs[0], { name: "label", datatype: "INT64", shape: [1], data: [1] });
    assertClose(body.outputs[1].data[1], 1 / (1 + Math.exp(-1)), 1e-6);
    const metrics = (await get(`${serving.adminUrl}/metrics`)).text;
    assertIncludes(metrics, "serin_ready 1");
  });
});

Deno.test("MLflow's scoring forms give the same answer", async () => {
  await withServing({ "1": linearModel() }, async ({ serving }) => {
    const forms = [
      { dataframe_split: { columns: ["a", "b"], data: [[1, 0], [0, 1]] } },
      { dataframe_records: [{ a: 1, b: 0 }, { a: 0, b: 1 }] },
    ];
    for (const form of forms) {
      const body = JSON.stringify(form);
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`${serving.url}/invocations`, { method: "POST", headers, body });
      const { predictions } = await answer.json();
      assertEquals(predictions.map((row: { label: number }) => row.label), [1, 0]);
    }
    const csv = await fetch(`${serving.url}/invocations`, {
      method: "POST",
      headers: { "content-type": "text/csv" },
      body: '"a",b\n1,0\n0,1\n',
    });
    assertEquals((await csv.json()).predictions.length, 2);
  });
});

Deno.test("what does not fit is refused with names, and counts against no version", async () => {
  await withServing({ "1": linearModel() }, async ({ serving, peer }) => {
    peer.assignment = { ...CANARY, canary: "1" };
    const post = async (body: string, path = "/v2/models/electricity/infer") => {
      const answer = await fetch(serving.url + path, { method: "POST", body });
      return { status: answer.status, ...await answer.json() };
    };
    const column = (name: string, datatype: string, value: unknown) => ({
      name,
      datatype,
      shape: [1],
      data: [value],
    });
    const inputs = (...columns: unknown[]) => JSON.stringify({ inputs: columns });
    const missing = await post(inputs(column("a", "FP32", 1)));
    assertEquals(missing.status, 400);
    assertIncludes(missing.error, 'column "b" is missing');
    const text = await post(inputs(column("a", "BYTES", "x"), column("b", "FP32", 1)));
    assertIncludes(text.error, 'Input "a": expected the datatype FP32, got BYTES');
    const wrong = await post(inputs(column("a", "FP32", "x"), column("b", "FP32", 1)));
    assertIncludes(wrong.error, 'Input "a", row 0: expected FP32, got string "x"');
    const nan = await post(inputs(column("a", "FP32", null), column("b", "FP32", 1)));
    assertIncludes(nan.error, "a missing value (null or NaN) is not allowed");
    assertEquals((await post("{")).status, 400);
    const unknown = await post("{}", "/v2/models/electricty/infer");
    assertEquals(unknown.status, 400);
    const known = await post(
      inputs(column("a", "FP32", 1), column("b", "FP32", 1)),
      "/v2/models/electricty/infer",
    );
    assertEquals([known.status, known.hint], [404, 'did you mean "electricity"?']);
    assertEquals((await post("{}", "/v2/models/electricity/versions/7/infer")).status, 400);
    assertEquals(peer.totals("stable").errors, undefined);
  });
});

Deno.test("a rollout splits by share, counts both arms, and keyed requests give no evidence", async () => {
  await withServing(
    { "1": linearModel(), "2": failingModel() },
    async ({ peer, infer, serving }) => {
      peer.hold = ["1", "2"];
      peer.assignment = CANARY;
      await until("the canary is routed", () => isRouted(serving, 0.5));
      let failed = 0;
      const seen: Record<string, number> = {};
      for (let i = 0; i < 200; i++) {
        const answer = await infer(1, i % 2);
        if (answer.status === 500) {
          failed++;
        }
        const version = answer.headers.get("x-serin-model-version") ?? "failed";
        seen[version] = (seen[version] ?? 0) + 1;
        await answer.body?.cancel();
      }
      assertTrue(seen["1"] > 60 && seen["2"] > 20 && failed > 20, JSON.stringify(seen));
      await until(
        "all is counted",
        () => peer.totals("stable").requests + peer.totals("canary").requests === 200,
      );
      assertEquals(peer.totals("canary").errors, failed);
      assertEquals(peer.totals("stable").errors, undefined);
      const versions = new Set<string>();
      for (let i = 0; i < 20; i++) {
        const answer = await infer(1, 0, { "x-serin-key": "user-7" });
        versions.add(answer.headers.get("x-serin-model-version")!);
        await answer.body?.cancel();
      }
      assertEquals(versions.size, 1);
      const { requests } = peer, synced = requests.length;
      await until("what was counted since is told", () => requests.length > synced + 1);
      assertEquals(peer.totals("stable").requests + peer.totals("canary").requests, 200);
      // A proxy that passes on what is not there: no key, or one version would get all of its requests.
      for (let i = 0; i < 64; i++) {
        const answer = await infer(1, 0, { "x-serin-key": "" });
        versions.add(answer.headers.get("x-serin-model-version")!);
        await answer.body?.cancel();
      }
      assertEquals(versions.size, 2);
      await until(
        "they are counted",
        () => peer.totals("stable").requests + peer.totals("canary").requests === 264,
      );
    },
  );
});

Deno.test("a model moves on without one failed request, and the old version is dropped", async () => {
  await withServing(
    { "1": linearModel(), "2": linearModel(2, -2) },
    async ({ peer, infer, serving }) => {
      let stop = false;
      const statuses = new Set<string>();
      const load = (async () => {
        while (!stop) {
          const answer = await infer(1, 0);
          const body = await answer.text();
          statuses.add(answer.ok ? "200" : `${answer.status} ${body}`);
        }
      })();
      peer.stable = "2";
      peer.hold = ["2"];
      await until("version 2 alone is held", async () => {
        const status = JSON.parse((await get(`${serving.adminUrl}/status`)).text);
        const [model] = status.models;
        return model.stable === "2" && model.held.length === 1;
      });
      stop = true;
      await load;
      assertEquals([...statuses], ["200"]);
    },
    2,
  );
});

Deno.test("a version that answers NaN fails its requests; the reason is counted", async () => {
  await withServing({ "1": nonFiniteModel() }, async ({ infer, serving }) => {
    const answer = await infer(1, 0.95);
    assertEquals(answer.status, 500);
    assertIncludes((await answer.json()).error, 'output "probabilities" holds NaN');
    await until(
      "it is on /metrics",
      async () =>
        (await get(`${serving.adminUrl}/metrics`)).text.includes(
          'serin_inference_errors_total{model="electricity",model_version="1",reason="non_finite"} 1',
        ),
    );
  });
});

Deno.test("a canary that cannot be loaded is told to the registry and gets no traffic", async () => {
  const versions = {
    "1": linearModel(),
    "2": unknownOperatorModel(),
    "3": linearModel().slice(0, 90),
  };
  await withServing(versions, async ({ peer, infer }) => {
    peer.hold = ["1", "2", "3"];
    peer.assignment = CANARY;
    const errors = await until("errors are told", () => {
      const held = peer.requests.at(-1)?.models[0].held ?? [];
      return held.filter((version) => version.error !== undefined).length === 2 ? held : undefined;
    });
    assertIncludes(errors.find(({ version }) => version === "2")!.error!, "Frobnicate");
    assertIncludes(errors.find(({ version }) => version === "3")!.error!, "version 3");
    for (let i = 0; i < 20; i++) {
      const answer = await infer(1, 0);
      assertEquals(answer.headers.get("x-serin-model-version"), "1");
      await answer.body?.cancel();
    }
  });
});

Deno.test("a canary that takes its isolate down is counted, and the isolate comes back", async () => {
  await withServing(
    { "1": linearModel(), "2": hangingModel() },
    async ({ peer, infer, serving }) => {
      peer.hold = ["1", "2"];
      peer.assignment = { ...CANARY, share: 1 };
      await until("the canary is routed", () => isRouted(serving, 1));
      const outcome = await infer(1, 0.95).then(
        (answer) => `status ${answer.status}`,
        () => "cut off",
      );
      assertEquals(outcome, "cut off");
      await until("its request counts as an error", () => (peer.totals("canary").errors ?? 0) >= 1);
      peer.assignment = null;
      await until("the stable version answers again", async () => {
        const answer = await infer(1, 0);
        await answer.body?.cancel();
        return answer.headers.get("x-serin-model-version") === "1";
      });
    },
  );
});

Deno.test("out of the registry's reach, shares stay and nothing counted is lost", async () => {
  await withServing(
    { "1": linearModel(), "2": linearModel() },
    async ({ peer, infer, serving }) => {
      peer.hold = ["1", "2"];
      peer.assignment = CANARY;
      await until("the canary is routed", () => isRouted(serving, 0.5));
      peer.reachable = false;
      for (let i = 0; i < 50; i++) {
        await (await infer(1, 0)).body?.cancel();
      }
      await until(
        "the gauge says so",
        async () =>
          (await get(`${serving.adminUrl}/metrics`)).text.includes("serin_registry_reachable 0"),
      );
      peer.reachable = true;
      await until(
        "the counts arrive",
        () => (peer.totals("stable").requests ?? 0) + (peer.totals("canary").requests ?? 0) === 50,
      );
    },
  );
});

Deno.test("out of the registry's reach, a replica takes a failing canary back by itself", async () => {
  await withServing(
    { "1": linearModel(), "2": failingModel() },
    async ({ peer, infer, serving }) => {
      peer.hold = ["1", "2"];
      peer.assignment = CANARY;
      const routed = () => isRouted(serving, 0.5);
      await until("the canary is routed", routed);
      peer.reachable = false;
      await until("the stable version serves all", async () => {
        await (await infer(1, 0.95)).body?.cancel();
        return !(await routed());
      });
      for (let i = 0; i < 20; i++) {
        const answer = await infer(1, 0.95);
        assertEquals([answer.status, answer.headers.get("x-serin-model-version")], [200, "1"]);
        await answer.body?.cancel();
      }
      peer.reachable = true;
      await until("the registry's word counts again", routed);
    },
  );
});
