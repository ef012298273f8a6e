import { assertEquals, assertSerinError } from "../../testing/mod.ts";
import { RemoteReceiver } from "./remote_receiver.ts";

Deno.test("over HTTP: the token, the form, and errors with a way out", async () => {
  const requests: { url: string; init: RequestInit }[] = [];
  let answer = () => Response.json({ cursor: { block: 1, label: 2 }, refused: [] });
  const receiver = new RemoteReceiver({
    ...{ baseUrl: "http://there:8083", token: "a-token-0123456789" },
    fetch: (url, init) => {
      requests.push({ url: String(url), init: init! });
      return Promise.resolve().then(answer);
    },
  });
  const { signal } = new AbortController(), bytes = Uint8Array.of(1);
  assertEquals(await receiver.cursorOf("a-b", signal), { block: 1, label: 2 });
  assertEquals((await receiver.send(bytes, signal)).refused, []);
  const route = "http://there:8083/api/serin/v1/predictions";
  assertEquals(requests.map(({ url }) => url), [`${route}?log=a-b`, route]);
  const headers = new Headers(requests[1].init.headers);
  assertEquals(headers.get("authorization"), "Bearer a-token-0123456789");
  assertEquals(headers.get("content-type"), "application/octet-stream");
  const refused = (status: number, body: unknown) => {
    answer = () => Response.json(body, { status });
    return () => receiver.send(bytes, signal);
  };
  const error = { code: "not_found", message: "none are taken", hint: "start it with X" };
  await assertSerinError(refused(404, { error }), "not_found", "404", "none are taken", "with X");
  await assertSerinError(refused(401, {}), "unavailable", "--prediction-log-token-file");
  await assertSerinError(refused(502, "<html>"), "unavailable", "502", "--prediction-log-to");
  await assertSerinError(refused(200, { ok: true }), "unavailable", "not as serin retrain serve");
  answer = () => {
    throw new TypeError("connection refused");
  };
  await assertSerinError(() => receiver.send(bytes, signal), "unavailable", "connection refused");
});

Deno.test("rows and token go to the address that was given, wherever it leads", async () => {
  let led = 0;
  const there = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    led++;
    return Response.json({ cursor: { block: 1, label: 1 } });
  });
  const location = `http://127.0.0.1:${there.addr.port}/there?key=hunter2`;
  const here = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    return new Response(null, { status: 307, headers: { location } });
  });
  try {
    const baseUrl = `http://127.0.0.1:${here.addr.port}`;
    const receiver = new RemoteReceiver({ baseUrl, fetch: globalThis.fetch });
    const { signal } = new AbortController();
    const send = () => receiver.send(Uint8Array.of(1), signal);
    const thrown = await assertSerinError(send, "unavailable", "307", "/there, which is not");
    assertEquals(thrown.message.includes("hunter2"), false, thrown.message);
    await assertSerinError(() => receiver.cursorOf("a-b", signal), "unavailable", "leads on");
    assertEquals(led, 0);
  } finally {
    await Promise.all([here.shutdown(), there.shutdown()]);
  }
});
