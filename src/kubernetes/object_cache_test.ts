import { SeededRandom, SerinError } from "../core/mod.ts";
import { assertEquals, FakeKubernetes, until } from "../testing/mod.ts";
import { ObjectCache } from "./mod.ts";

const KIND = { apiVersion: "v1", kind: "ConfigMap" };

Deno.test("a cache follows; without the right it says so, keeps what it had and comes back", async () => {
  const api = new FakeKubernetes(), ending = new AbortController();
  let changes = 0, refused = true;
  api.before = ({ method }) => {
    if (method === "watch" && refused) throw new SerinError("permission_denied", "no watch");
  };
  const wake = Promise.withResolvers<void>();
  const cache = new ObjectCache(api, KIND, {
    signal: ending.signal,
    onChange: () => void changes++,
    random: new SeededRandom(1),
    sleep: () => refused ? wake.promise : Promise.resolve(),
  });
  const running = cache.run();
  await until("the problem is told", () => cache.problem());
  assertEquals([cache.isListed(), changes], [false, 1]);
  await api.create({ ...KIND, metadata: { name: "a" } });
  refused = false;
  wake.resolve();
  await until("it is listed", () => cache.isListed());
  assertEquals([cache.objects().length, cache.problem()], [1, undefined]);
  await api.create({ ...KIND, metadata: { name: "b" } });
  await api.delete({ ...KIND, name: "a" });
  await until("it follows", () => cache.objects()[0]?.metadata.name === "b");
  ending.abort();
  await running;
});
