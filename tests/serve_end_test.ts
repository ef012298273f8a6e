/** How `serin serve` starts and ends under an orchestrator: signals, delays, tokens, environment. */
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  freePort,
  linearModel,
  slowModel,
  until,
} from "../src/testing/mod.ts";
import { ask, post, Served, Workbench } from "./support/workbench.ts";

const HOUR = ["--shutdown-delay-seconds", "3600"];
const PORTS = ["--port", "0", "--admin-port", "0"];
const ROW = { a: [1], b: [0] };
const DONE = { success: true, code: 0, signal: null };

/** Accepts connections and never answers. */
function openSilent(): { url: string; connected: Promise<unknown> } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [], connected = Promise.withResolvers<unknown>();
  (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      connected.resolve(undefined);
    }
  })();
  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    connected: connected.promise,
    [Symbol.dispose]() {
      listener.close();
      for (const connection of connections) connection.close();
    },
  };
}

Deno.test("SIGTERM with a delay: not ready, answering, closing; a second signal ends at once", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  const served = await bench.serve(["m.onnx", ...HOUR]);
  const ended = served.process.signal("SIGTERM");
  await until("not ready", async () => (await ask(`${served.url}/v2/health/ready`)).status === 503);
  assertEquals((await ask(`${served.url}/ping`)).status, 503);
  const ready = await ask(`${served.adminUrl}/readyz`);
  assertEquals([ready.status, ready.json.reasons], [503, ["the process is stopping"]]);
  assertEquals((await ask(`${served.adminUrl}/livez`)).status, 200);
  assertIncludes(await served.metrics(), "\nserin_draining 1\n");
  assertEquals((await served.infer("m", ROW)).status, 200);
  await served.process.signal("SIGTERM");
  assertEquals((await ended).code, 143);
});

Deno.test("SIGINT knows no delay; what is in flight is answered, idle connections are not waited for", async () => {
  await using bench = await Workbench.open();
  await bench.write("slow.onnx", slowModel(1000, 0.9));
  const served = await bench.serve(["slow.onnx", "--workers", "2", ...HOUR]);
  const { hostname, port } = new URL(served.url);
  using _ = await Deno.connect({ hostname, port: Number(port) });
  const slow = Array.from({ length: 6 }, () => served.infer("slow", { a: [1], b: [0.95] }));
  await until(
    "they wait",
    async () => /\nserin_inflight_requests [3-6]\n/.test(await served.metrics()),
  );
  const ended = served.process.signal("SIGINT");
  assertEquals((await Promise.all(slow)).map(({ status }) => status), slow.map(() => 200));
  assertEquals({ ...await ended }, DONE);
});

Deno.test("what takes longer than the grace is cut off, and told; the exit code is 0 all the same", async () => {
  await using bench = await Workbench.open();
  await bench.write("slow.onnx", slowModel(2400, 0.9));
  const served = await bench.serve(["slow.onnx", "--grace-seconds", "0.1"]);
  const slow = served.infer("slow", { a: [1], b: [0.95] }).then(() => "answered", () => "cut off");
  await until(
    "it runs",
    async () => (await served.metrics()).includes("serin_inflight_requests 1"),
  );
  assertEquals({ ...await served.process.stop() }, DONE);
  assertEquals(await slow, "cut off");
  assertIncludes(served.process.stderr, "requests were cut off after the grace");
});

Deno.test("SIGTERM while it starts ends it at once: the registry is silent, away, or has no such alias", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  using silent = openSilent();
  const away = `http://127.0.0.1:${freePort()}`;
  for (const registry of [silent.url, away, api.url]) {
    const args = ["--registry", registry, "--model", "models:/m@champion", "--cache", "c", ...HOUR];
    const process = bench.begin(["serve", ...args, ...PORTS]);
    if (registry === silent.url) await silent.connected;
    else await until("it listens", () => process.stderr.includes("listening on"));
    const started = performance.now();
    assertEquals({ ...await process.stop() }, DONE, process.stderr);
    // Neither the delay (it was never ready) nor the sync's own time-out of 5 s.
    assertTrue(
      performance.now() - started < 4000,
      `${registry}: ${performance.now() - started} ms`,
    );
  }
});

Deno.test("a registry that answers 500: not ready, with its answer as the reason, until it is well", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  await api.client.models.setAlias("m", "champion", await api.register("m", linearModel()));
  let ill = true;
  await using proxy = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    if (ill) return new Response('{"error":"the disk is full"}', { status: 500 });
    const { pathname, search } = new URL(request.url), { method, headers, body } = request;
    return fetch(`${api.url}${pathname}${search}`, { method, headers, body });
  });
  const registry = `http://127.0.0.1:${proxy.addr.port}`;
  const args = ["--registry", registry, "--model", "models:/m@champion"];
  const served = await bench.serve(args, { wait: false });
  const { status, json } = await ask(`${served.adminUrl}/readyz`);
  assertEquals(status, 503);
  assertIncludes(json.reasons[0], "the registry has not answered yet: The registry answered 500");
  assertEquals((await ask(`${served.adminUrl}/livez`)).status, 200);
  ill = false;
  await served.waitReady();
  assertEquals((await served.infer("m", ROW)).status, 200);
  const told = served.process.stderr.match(/the registry is out of reach/g);
  assertEquals(told?.length, 1, "once, however often it was tried");
});

Deno.test("without models it is ready, syncs, and says that nothing is served; SERIN_WORKERS counts", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  const args = ["--registry", api.url, "--replica", "pod-7", "--cache", "c", ...PORTS];
  const process = bench.begin(["serve", ...args], { SERIN_WORKERS: "2" });
  await until("it listens", () => process.stderr.includes("listening on"));
  const served = new Served(process);
  await served.waitReady();
  const answer = await served.infer("x", ROW);
  assertEquals([answer.status, answer.json.error], [404, 'No model "x" is served here']);
  assertEquals((await served.status()).isolates.workers, 2);
  const { replicas } = await api.call("GET", "replicas");
  assertEquals(replicas.length, 1);
  const { replica, live, models } = replicas[0];
  assertEquals({ replica, live, models }, { replica: "pod-7", live: true, models: [] });
  await process.stop();
  const after = await api.call("GET", "replicas");
  assertEquals(after.replicas.map(({ live }: { live: boolean }) => live), [false]);
});

Deno.test("/status wants a token where others reach it; probes and metrics are open", async () => {
  await using bench = await Workbench.open();
  await bench.write("m.onnx", linearModel());
  await bench.write("token", "of-the-registry\n");
  await bench.write("control", "of-control\n");
  const open = ["serve", "m.onnx", "--host", "0.0.0.0", "--cache", "c", ...PORTS];
  const registry = [
    ...["--registry", `http://127.0.0.1:${freePort()}`, "--registry-token-file", "token"],
  ];
  const cases: [string[], Record<string, string>, string | undefined][] = [
    [open, {}, undefined],
    [[...open, ...registry], {}, "of-the-registry"],
    [[...open, ...registry, "--control-token-file", "control"], {}, "of-control"],
    [[...open, ...registry], { SERIN_CONTROL_TOKEN: "from-outside" }, "from-outside"],
  ];
  for (const [args, env, token] of cases) {
    const process = bench.begin(args, env);
    await until("it listens", () => process.stderr.includes("listening on"));
    const { adminUrl } = process;
    const status = (given: string, headers: Record<string, string> = {}) =>
      ask(`${adminUrl}/status`, { headers: { authorization: `Bearer ${given}`, ...headers } });
    for (const path of ["/livez", "/metrics"]) {
      assertEquals((await ask(adminUrl + path)).status, 200, path);
    }
    const without = await ask(`${adminUrl}/status`);
    assertEquals(without.status, token === undefined ? 403 : 401);
    assertIncludes(without.json.hint, token === undefined ? "--control-token-file" : "Bearer");
    const wrong = await status("another");
    assertEquals(wrong.status, token === undefined ? 403 : 401);
    if (token !== undefined) {
      assertEquals((await status(token)).status, 200);
      const basic = { authorization: `Basic ${btoa(`me:${token}`)}` };
      assertEquals((await ask(`${adminUrl}/status`, { headers: basic })).status, 200);
    }
    assertTrue(!process.stderr.includes(token ?? "no token"), "no token in the log");
    await process.stop();
  }
  const loopback = await bench.serve(["m.onnx"]);
  assertEquals((await ask(`${loopback.adminUrl}/status`)).status, 200);
  assertEquals((await post(`${loopback.adminUrl}/status`, {})).status, 404);
});
