import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { createMlflowClient, type MlflowClient } from "./mod.ts";

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly body: unknown;
}

/** A client whose server gives one answer to everything. */
function clientOf(status: number, answer: unknown): { client: MlflowClient; sent: Sent[] } {
  const sent: Sent[] = [];
  const fetch = async (input: URL | Request | string, init?: RequestInit) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const text = await request.text();
    sent.push({
      method: request.method,
      path: url.pathname + url.search,
      authorization: request.headers.get("authorization"),
      body: text === "" ? undefined : JSON.parse(text),
    });
    return typeof answer === "string"
      ? new Response(answer, { status })
      : Response.json(answer, { status });
  };
  const client = createMlflowClient({ baseUrl: "http://host/base/", fetch, token: "secret" });
  return { client, sent };
}

Deno.test("a request has the server's base path and the token", async () => {
  const { client, sent } = clientOf(200, { artifact_uri: "mlflow-artifacts:/1" });
  assertEquals(await client.versions.getDownloadUri("a b", "1"), "mlflow-artifacts:/1");
  assertEquals(sent, [{
    method: "GET",
    path: "/base/api/2.0/mlflow/model-versions/get-download-uri?name=a+b&version=1",
    authorization: "Bearer secret",
    body: undefined,
  }]);
});

Deno.test("MLflow's errors become serin's", async () => {
  for (
    const [status, error_code, code] of [
      [404, "RESOURCE_DOES_NOT_EXIST", "not_found"],
      [400, "INVALID_PARAMETER_VALUE", "invalid_input"],
      [401, "UNAUTHENTICATED", "unauthenticated"],
      [403, "PERMISSION_DENIED", "permission_denied"],
      [503, "TEMPORARILY_UNAVAILABLE", "unavailable"],
      [501, "NOT_IMPLEMENTED", "not_implemented"],
      [429, "SOMETHING_NEW", "limit_exceeded"],
    ] as const
  ) {
    const { client } = clientOf(status, { error_code, message: "because" });
    await assertSerinError(() => client.models.get("m"), code, "because");
  }
  const { client: proxied } = clientOf(502, "<html>bad gateway</html>");
  await assertSerinError(() => proxied.models.get("m"), "unavailable", "answered 502");
  const { client: foreign } = clientOf(200, "<html>a page</html>");
  await assertSerinError(() => foreign.models.get("m"), "unavailable", "no JSON");
  const { client: other } = clientOf(200, { hello: "world" });
  await assertSerinError(() => other.models.get("m"), "unavailable", "not of MLflow's form");
});

Deno.test("a server out of reach is unavailable, with the address and a hint", async () => {
  const client = createMlflowClient({
    baseUrl: "http://nowhere:1",
    fetch: () => Promise.reject(new TypeError("connection refused")),
  });
  const error = await assertSerinError(
    () => client.experiments.findByName("e"),
    "unavailable",
    "http://nowhere:1",
    "connection refused",
  );
  assertEquals(error.retriable, true);
  await assertSerinError(
    () => createMlflowClient({ baseUrl: "localhost:5000", fetch }),
    "configuration",
    "http://host:port",
  );
});

Deno.test("an experiment that is deleted is found, and takes no runs", async () => {
  const experiment = { experiment_id: "8", name: "gone", lifecycle_stage: "deleted" };
  const { client } = clientOf(200, { experiment });
  assertEquals(await client.experiments.findByName("gone"), "8");
  const ensure = () => client.experiments.ensure("gone");
  await assertSerinError(ensure, "conflict", '"gone" (id 8) is deleted', "restore");
});

Deno.test("an alias that is not there is undefined, in MLflow's words too", async () => {
  const missing = {
    error_code: "INVALID_PARAMETER_VALUE",
    message: "Registered model alias x not found.",
  };
  assertEquals(await clientOf(400, missing).client.models.findByAlias("m", "x"), undefined);
  const wrong = { error_code: "INVALID_PARAMETER_VALUE", message: "Invalid alias name: 'x y'" };
  await assertSerinError(
    () => clientOf(400, wrong).client.models.findByAlias("m", "x y"),
    "invalid_input",
  );
});

Deno.test("a batch is cut to MLflow's limits, and NaN goes as a text", async () => {
  const { client, sent } = clientOf(200, {});
  const metrics = Array.from({ length: 1001 }, (_, i) => ({ key: "m", value: NaN, timestamp: i }));
  const params = Array.from({ length: 150 }, (_, i) => ({ key: `p${i}`, value: "" }));
  await client.runs.logBatch("r", { metrics, params });
  const sizes = sent.map(({ body }) => {
    const { metrics = [], params = [] } = body as Record<string, unknown[]>;
    return [metrics.length, params.length];
  });
  assertEquals(sizes, [[0, 100], [0, 50], [1000, 0], [1, 0]]);
  const { metrics: last } = sent[3].body as { metrics: { value: unknown }[] };
  assertEquals(last[0].value, "NaN");
});

Deno.test("files that are not behind the server are refused with a way out", async () => {
  const { client } = clientOf(200, {});
  await assertSerinError(
    () => client.artifacts.list("s3://bucket/x"),
    "not_implemented",
    "s3://bucket/x",
    "mlflow-artifacts:/",
  );
});

Deno.test("registered models are listed page by page, with their aliases", async () => {
  const paths: string[] = [];
  const fetch = (input: URL | Request | string) => {
    const { searchParams } = new URL(String(input));
    paths.push(searchParams.get("page_token") ?? "");
    const model = { name: `m${paths.length}`, aliases: [{ alias: "champion", version: "2" }] };
    const next_page_token = paths.length === 1 ? "next" : undefined;
    return Promise.resolve(Response.json({ registered_models: [model], next_page_token }));
  };
  const client = createMlflowClient({ baseUrl: "http://host", fetch });
  const models = await client.models.list();
  assertEquals(models.map(({ name, aliases }) => [name, aliases[0]?.version]), [
    ["m1", "2"],
    ["m2", "2"],
  ]);
  assertEquals(paths, ["", "next"]);
});
