import { assertEquals } from "../testing/mod.ts";
import { openRetrainClient } from "./retrain_options.ts";

Deno.test("the token gets through a proxy that keeps Authorization to itself", async () => {
  const proxy = "/api/v1/namespaces/serin/services/serin-retrain:8083/proxy";
  const seen: unknown[] = [];
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using server = Deno.serve(options, ({ url, headers }) => {
    const names = ["authorization", "x-serin-authorization"];
    seen.push([new URL(url).pathname, ...names.map((name) => headers.get(name))]);
    return Response.json({ retrainings: [] });
  });
  const retrain = `http://127.0.0.1:${server.addr.port}${proxy}/`, token = "t".repeat(20);
  const path = `${proxy}/api/serin/v1/retrainings`;
  assertEquals(await (await openRetrainClient({ retrain, token })).list(), []);
  assertEquals(await (await openRetrainClient({ retrain })).list(), []);
  assertEquals(seen, [[path, null, `Bearer ${token}`], [path, null, null]]);
});
