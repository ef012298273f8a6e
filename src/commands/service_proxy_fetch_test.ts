import { createControlClient } from "../control/mod.ts";
import type { RawRequest } from "../kubernetes/mod.ts";
import { createMlflowClient } from "../mlflow/mod.ts";
import { assertEquals, assertSerinError, FakeKubernetes } from "../testing/mod.ts";
import { joinModelRegistry } from "./deploy_registry.ts";
import { serviceProxyFetch } from "./service_proxy_fetch.ts";

const PATH = "/api/v1/namespaces/serin/services/http:serin-registry:5000/proxy";

interface Sent {
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A registry through the API server, which answers by path. */
function registryOf(answer: (path: string) => Response) {
  const sent: Sent[] = [];
  const kubernetes = new FakeKubernetes();
  kubernetes.onRaw = async (method: string, path: string, init: RawRequest = {}) => {
    const body = init.body === undefined ? "" : await new Response(init.body).text();
    sent.push({ line: `${method} ${path}`, headers: init.headers ?? {}, body });
    return answer(path.slice(PATH.length));
  };
  const fetch = serviceProxyFetch(kubernetes, { path: PATH, name: "Service serin/serin-registry" });
  const options = {
    baseUrl: "http://serin-registry.serin:5000",
    fetch,
    headers: { "x-serin-authorization": "Bearer t" },
  };
  const registry = joinModelRegistry(createMlflowClient(options), createControlClient(options));
  return { registry, sent };
}

Deno.test("requests go through the API server's proxy, with a header of their own", async () => {
  const { registry, sent } = registryOf((path) =>
    path.startsWith("/api/2.0")
      ? Response.json({ registered_models: [{ name: "m", aliases: [] }] })
      : Response.json({ replicas: [], changes: [] })
  );
  assertEquals(await registry.listModels(), [{ name: "m", aliases: {} }]);
  await registry.listReplicas();
  await registry.setAlias("m", "champion", "2");
  await registry.listChampionMoves("m");
  assertEquals(sent.map(({ line }) => line.replace(PATH, "")), [
    "GET /api/2.0/mlflow/registered-models/search?max_results=1000",
    "GET /api/serin/v1/replicas",
    "POST /api/2.0/mlflow/registered-models/alias",
    "GET /api/serin/v1/models/m/history?alias=champion&limit=1000",
  ]);
  assertEquals(sent[2].body, JSON.stringify({ name: "m", alias: "champion", version: "2" }));
  for (const { headers } of sent) {
    assertEquals(headers["x-serin-authorization"], "Bearer t");
    assertEquals(headers.authorization, undefined);
  }
});

Deno.test("what the API server answers in the registry's place is told as such", async () => {
  const status = (code: number, message: string) => () =>
    Response.json({ kind: "Status", apiVersion: "v1", message, code }, { status: code });
  const missing = "no endpoints available", forbidden = 'cannot get resource "services/proxy"';
  const cases: [() => Response, "unavailable" | "permission_denied", ...string[]][] = [
    [status(503, missing), "unavailable", missing, "a NetworkPolicy shuts"],
    [status(403, forbidden), "permission_denied", forbidden, "a Role must allow"],
  ];
  for (const [answer, code, ...parts] of cases) {
    const { registry } = registryOf(answer);
    for (const call of [() => registry.listModels(), () => registry.listReplicas()]) {
      const error = await assertSerinError(call, code, ...parts);
      assertEquals(error.message.startsWith("Service serin/serin-registry did not"), true);
    }
  }
  const own = { error_code: "PERMISSION_DENIED", message: "for admins" };
  const { registry } = registryOf(() => Response.json(own, { status: 403 }));
  await assertSerinError(() => registry.listModels(), "permission_denied", "for admins");
  const page = registryOf(() => new Response("<html>", { status: 502 }));
  await assertSerinError(() => page.registry.listModels(), "unavailable", "502");
});

Deno.test("a version can be deployed if it is there whole, its model file too", async () => {
  const check = async (files: unknown[], file: Response, status = "READY") => {
    const { registry } = registryOf((path) => {
      if (path.includes("get-download-uri")) {
        return Response.json({ artifact_uri: "mlflow-artifacts:/1/models/m/artifacts" });
      }
      if (path.includes("model-versions/get")) {
        return Response.json({ model_version: { name: "m", version: "2", status } });
      }
      return path.includes("?path=") ? Response.json({ files }) : file;
    });
    await registry.checkVersion("m", "2");
  };
  const onnx = [{ path: "MLmodel" }, { path: "model.onnx", file_size: 3 }];
  await check(onnx, new Response("abc"));
  const gone = () =>
    Response.json({ error_code: "RESOURCE_DOES_NOT_EXIST", message: "no file" }, { status: 404 });
  await assertSerinError(() => check(onnx, gone()), "not_found", "no file");
  await assertSerinError(() => check(onnx, new Response("")), "not_found", "model.onnx is empty");
  await assertSerinError(
    () => check([{ path: "MLmodel" }], gone()),
    "not_found",
    "has no .onnx file",
    "its files: MLmodel",
  );
  await assertSerinError(
    () => check(onnx, gone(), "PENDING_REGISTRATION"),
    "not_found",
    "PENDING_REGISTRATION, not READY",
  );
});
