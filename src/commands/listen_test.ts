import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { listenOn } from "./listen.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };

Deno.test("a close lets running requests end within the grace, and waits no longer for others", async () => {
  for (const graceMs of [60_000, 50]) {
    const begun = Promise.withResolvers<void>(), finish = Promise.withResolvers<Response>();
    let cutOff = 0;
    const server = listenOn({ ...LOOPBACK, graceMs, onCutOff: () => cutOff++ }, () => {
      begun.resolve();
      return finish.promise;
    });
    const asked = fetch(server.url).then((answer) => answer.text());
    await begun.promise;
    const closed = server.close();
    if (graceMs > 1000) finish.resolve(new Response("answered"));
    await closed;
    assertEquals(cutOff, graceMs > 1000 ? 0 : 1);
    finish.resolve(new Response("late"));
    assertEquals(await asked, graceMs > 1000 ? "answered" : "late");
  }
});

Deno.test("an address that cannot be listened on says what to do", async () => {
  const server = listenOn(LOOPBACK, () => new Response());
  const port = Number(new URL(server.url).port);
  await assertSerinError(
    () => listenOn({ ...LOOPBACK, port }, () => new Response()),
    "address_in_use",
    "--port",
  );
  await server.close();
  await assertSerinError(
    () => listenOn({ host: "203.0.113.1", port: 0 }, () => new Response()),
    "configuration",
    "--host",
  );
});
