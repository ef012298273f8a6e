import { assertSerinError } from "../testing/mod.ts";
import { openKubernetes } from "./kubernetes_access.ts";

Deno.test("an API server that never answers is given up after the time that was given", async () => {
  const closing = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: closing.signal },
    ({ signal }) =>
      new Promise((done) => signal.addEventListener("abort", () => done(new Response()))),
  );
  const kubeApi = `http://127.0.0.1:${server.addr.port}`;
  const { client, close } = await openKubernetes({ kubeApi }, { timeoutMs: 100 });
  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", name: "serin-controller" };
  await assertSerinError(() => client.get(lease), "timeout", "did not answer", "in 100 ms");
  close();
  closing.abort();
  await server.finished;
});
