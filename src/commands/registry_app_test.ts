import { silentLog } from "../core/mod.ts";
import { createMlflowClient } from "../mlflow/mod.ts";
import { assertEquals, assertIncludes, assertSerinError, assertTrue } from "../testing/mod.ts";
import { openRegistryApp, type RegistryApp, type RegistryAppOptions } from "./registry_app.ts";

interface Opened {
  readonly registry: RegistryApp;
  readonly folder: string;
  /** @returns status and JSON */
  // deno-lint-ignore no-explicit-any
  call(method: string, path: string, body?: unknown): Promise<[number, any]>;
}

function withApp(
  test: (opened: Opened) => Promise<void>,
  options: Partial<RegistryAppOptions> = {},
) {
  return async () => {
    const folder = await Deno.makeTempDir();
    const registry = await openRegistryApp({ dataFolder: folder, log: silentLog, ...options });
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await registry.app.request(path, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      return [response.status, await response.json()] as [number, never];
    };
    try {
      await test({ registry, folder, call });
    } finally {
      registry.close();
      await Deno.remove(folder, { recursive: true });
    }
  };
}

const API = "/api/2.0/mlflow";
const FILES = "/api/2.0/mlflow-artifacts/artifacts";

Deno.test(
  "both prefixes answer, and what is unknown or not there has MLflow's form",
  withApp(async ({ registry, call }) => {
    for (const prefix of ["/api", "/ajax-api"]) {
      const [status, body] = await call(
        "GET",
        `${prefix}/2.0/mlflow/experiments/get?experiment_id=0`,
      );
      assertEquals([status, body.experiment.name], [200, "Default"]);
    }
    assertEquals(await (await registry.app.request("/health")).text(), "OK");
    assertEquals(
      (await call("GET", "/api/2.0/mlflow/nothing"))[1].error_code,
      "ENDPOINT_NOT_FOUND",
    );
    for (
      const path of ["/api/3.0/mlflow/traces/search", "/api/2.0/mlflow/webhooks", "/v1/traces"]
    ) {
      const [status, body] = await call("POST", path, {});
      assertEquals([status, body.error_code], [501, "NOT_IMPLEMENTED"]);
    }
    assertEquals((await call("GET", "/api/3.0/mlflow/server-info"))[1].store_type, "SqlStore");
  }),
);

Deno.test(
  "wrong requests are refused with MLflow's messages, the value as it was written",
  withApp(async ({ registry, call }) => {
    const create = `${API}/experiments/create`;
    const messages = [
      [{}, "Missing value for required parameter 'name'."],
      [{ name: "" }, "Missing value for required parameter 'name'."],
      [
        { name: 123 },
        "Invalid value 123 for parameter 'name' supplied:  Hint: Value was of type 'int'",
      ],
      [{ name: "x", tags: "5" }, `Invalid value "5" for parameter 'tags' supplied`],
      [{ name: "x".repeat(501) }, "'name' exceeds the maximum length of 500 characters"],
    ] as const;
    for (const [body, message] of messages) {
      const [status, answer] = await call("POST", create, body);
      assertEquals([status, answer.error_code], [400, "INVALID_PARAMETER_VALUE"]);
      assertIncludes(answer.message, message);
    }
    const post = async (body: string, type?: string) => {
      const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
      const bytes = new TextEncoder().encode(body);
      return await (await registry.app.request(create, { method: "POST", body: bytes, headers }))
        .json();
    };
    const float = await post('{"name": "x", "artifact_location": 9.0}', "application/json");
    assertIncludes(float.message, "Invalid value 9.0 for parameter 'artifact_location'");
    assertIncludes((await post("{}")).message, "Content-Type header is missing");
    assertIncludes((await post("{}", "text/plain")).message, "Content-Type must be one of");
    assertIncludes(
      (await post("no json", "application/json")).message,
      "required parameter 'name'",
    );
  }),
);

Deno.test(
  "a body beyond the limit is refused",
  withApp(async ({ call }) => {
    const body = { run_id: "x", params: [{ key: "a", value: "y".repeat(5_000_000) }] };
    assertEquals((await call("POST", `${API}/runs/log-batch`, body))[0], 413);
  }),
);

Deno.test(
  "metrics that JSON cannot write go and come as texts",
  withApp(async ({ call }) => {
    const [, { run }] = await call("POST", `${API}/runs/create`, { experiment_id: "0" });
    const runId = run.info.run_id;
    for (const value of ["NaN", "Infinity", "-Infinity"]) {
      const body = { run_id: runId, key: value, value, timestamp: 1, step: "7" };
      assertEquals((await call("POST", `${API}/runs/log-metric`, body))[0], 200);
    }
    const [, read] = await call("GET", `${API}/runs/get?run_id=${runId}`);
    const values = Object.fromEntries(
      read.run.data.metrics.map((m: { key: string; value: unknown }) => [m.key, m.value]),
    );
    assertEquals(values, {
      NaN: "NaN",
      Infinity: Number.MAX_VALUE,
      "-Infinity": -Number.MAX_VALUE,
    });
  }),
);

Deno.test(
  "files stream in and out, are listed by level, and unsafe paths are refused",
  withApp(async ({ registry, call }) => {
    const put = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
      registry.app.request(`${FILES}/${path}`, { method: "PUT", body, headers });
    assertEquals((await put("0/r/artifacts/a%20b.txt", "hello")).status, 200);
    const read = await registry.app.request(`${FILES}/0/r/artifacts/a%20b.txt`);
    assertEquals(await read.text(), "hello");
    assertEquals(read.headers.get("content-length"), "5");
    assertIncludes(read.headers.get("content-disposition")!, `attachment; filename="a b.txt"`);
    assertEquals(read.headers.get("x-content-type-options"), "nosniff");
    assertEquals((await call("GET", `${FILES}?path=0/r/artifacts`))[1], {
      files: [{ path: "a b.txt", is_dir: false, file_size: 5 }],
    });
    assertEquals((await call("GET", `${FILES}/0/r/nothing`))[0], 404);
    for (const path of ["..%2fx", "a/%252e%252e/x", "a%5cb", "a%00b", "%2fetc"]) {
      assertEquals((await put(path, "x")).status, 400, path);
    }
    assertEquals((await call("GET", `${FILES}?path=../x`))[0], 400);
    const short = await put("0/short", "abc", { "content-length": "5" });
    assertEquals(short.status, 400);
    assertEquals((await call("GET", `${FILES}/0/short`))[0], 404);
    assertEquals((await call("DELETE", `${FILES}/0/r`))[0], 200);
    assertEquals((await call("GET", `${FILES}?path=0`))[1], {});
  }),
);

Deno.test(
  "an upload of any size takes constant memory",
  withApp(async ({ registry, call }) => {
    const chunk = new Uint8Array(1 << 20);
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent++ === 200) controller.close();
        else controller.enqueue(chunk);
      },
    }, { highWaterMark: 0 });
    const before = Deno.memoryUsage();
    const response = await registry.app.request(`${FILES}/0/big`, { method: "PUT", body });
    assertEquals(response.status, 200);
    const after = Deno.memoryUsage();
    const grown = after.rss - before.rss;
    assertTrue(grown < 100e6, `200 MiB were uploaded and the process grew by ${grown} bytes`);
    const [, { files }] = await call("GET", `${FILES}?path=0`);
    assertEquals(files[0].file_size, 200 << 20);
  }),
);

Deno.test(
  "of a fixed artifact root the server reads what clients wrote, and nothing else",
  async () => {
    const root = await Deno.makeTempDir();
    await withApp(async ({ call, registry }) => {
      const [, { run }] = await call("POST", `${API}/runs/create`, { experiment_id: "0" });
      const { run_id: runId, artifact_uri: uri } = run.info;
      assertEquals(uri, `${root}/0/${runId}/artifacts`);
      await Deno.mkdir(uri, { recursive: true });
      await Deno.writeTextFile(`${uri}/a.txt`, "a");
      const [, listed] = await call("GET", `${API}/artifacts/list?run_id=${runId}`);
      assertEquals(listed.files, [{ path: "a.txt", is_dir: false, file_size: 1 }]);
      const file = await registry.app.request(`/get-artifact?run_id=${runId}&path=a.txt`);
      assertEquals(await file.text(), "a");
      const [, { experiment_id }] = await call("POST", `${API}/experiments/create`, {
        name: "elsewhere",
        artifact_location: "/etc",
      });
      const [, other] = await call("POST", `${API}/runs/create`, { experiment_id });
      const list = `${API}/artifacts/list?run_id=${other.run.info.run_id}`;
      assertEquals((await call("GET", list))[0], 501);
    }, { defaultArtifactRoot: root })();
    await Deno.remove(root, { recursive: true });
  },
);

Deno.test("another's routes and tables are mounted", async () => {
  await withApp(async ({ call, registry }) => {
    assertEquals(await call("GET", "/extra"), [200, { notes: 0 }]);
    assertEquals((await call("GET", "/fails"))[1].error_code, "INTERNAL_ERROR");
    assertTrue(registry.database !== undefined, "parts are handed out");
  }, {
    migrations: [{ id: "extra/0001", sql: "CREATE TABLE note (text TEXT) STRICT" }],
    mount: (app, { database }) => {
      app.get("/extra", (context) => {
        const row = database.read((tx) => tx.get<{ n: number }>("SELECT count(*) AS n FROM note"));
        return context.json({ notes: row!.n });
      });
      app.get("/fails", () => {
        throw new Error("on purpose");
      });
    },
  })();
});

Deno.test("a destination that is no folder is refused with a way out", async () => {
  const folder = await Deno.makeTempDir();
  const options = { dataFolder: folder, log: silentLog, artifactsDestination: "s3://bucket/a" };
  await assertSerinError(() => openRegistryApp(options), "not_implemented", "s3://bucket/a");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a data folder that cannot be written is refused, and named", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/file`, "");
  const options = { dataFolder: `${folder}/file/data`, log: silentLog };
  await assertSerinError(() => openRegistryApp(options), "storage", `${folder}/file/data`);
  await Deno.remove(folder, { recursive: true });
});

Deno.test(
  "serin's own client trains, registers and fetches over it",
  withApp(async ({ registry }) => {
    const client = createMlflowClient({
      baseUrl: "http://registry",
      fetch: async (input, init) => await registry.app.request(new Request(input, init)),
    });
    const experimentId = await client.experiments.ensure("e");
    assertEquals(await client.experiments.ensure("e"), experimentId);
    const run = await client.runs.create({ experimentId, name: "r", startedMs: 1 });
    const { run_id: runId, artifact_uri: uri } = run.info;
    await client.runs.logBatch(runId, {
      metrics: [{ key: "auc", value: 0.9, timestamp: 1 }],
      params: [{ key: "depth", value: "3" }],
      tags: [{ key: "t", value: "v" }],
    });
    await client.runs.setTag(runId, "u", "w");
    await client.runs.update(runId, { status: "FINISHED", endedMs: 2 });
    const read = await client.runs.get(runId);
    assertEquals([read.info.status, read.data.metrics[0].value], ["FINISHED", 0.9]);
    await client.artifacts.upload(uri, "model/a b.onnx", new TextEncoder().encode("bytes"));
    assertEquals(await client.artifacts.list(uri, "model"), [
      { path: "model/a b.onnx", isFolder: false, size: 5 },
    ]);
    await client.models.ensure("m");
    await client.models.ensure("m");
    const version = await client.versions.create({ name: "m", source: `${uri}/model`, runId });
    await client.models.setAlias("m", "champion", version.version);
    assertEquals((await client.models.findByAlias("m", "champion"))?.version, "1");
    assertEquals((await client.models.get("m")).aliases, [{ alias: "champion", version: "1" }]);
    const from = await client.versions.getDownloadUri("m", "1");
    const bytes = await client.artifacts.download(from, "a b.onnx");
    assertEquals(await new Response(bytes).text(), "bytes");
    await client.models.removeAlias("m", "champion");
    assertEquals(await client.models.findByAlias("m", "champion"), undefined);
    await assertSerinError(() => client.artifacts.download(from, "nothing"), "not_found");
    await assertSerinError(() => client.versions.get("m", "9"), "not_found");
  }),
);
