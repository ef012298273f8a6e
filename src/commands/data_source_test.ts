import { SeededRandom, sha256Hex, silentLog } from "../core/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertSerinError,
  assertTrue,
  FakeClock,
} from "../testing/mod.ts";
import { type DataAccess, nameData, readData } from "./data_source.ts";
import type { DownloadParts } from "./table_download.ts";

const CSV = "a,target\n1,0\n2,1\n";
const TOKEN = "a-token-0123456789";

/** A server that gives one answer a request, the last one again and again. */
class Rows implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly seen: { path: string; authorization: string | null }[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(...answers: (() => Response)[]) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const { pathname, search } = new URL(request.url);
      const authorization = request.headers.get("authorization");
      this.seen.push({ path: `${pathname}${search}`, authorization });
      return answers[Math.min(this.seen.length, answers.length) - 1]();
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/rows.csv`;
  }

  read(access: DataAccess = {}, parts: DownloadParts = {}, url = this.url) {
    return readData(url, { dataWaitSeconds: 30, ...access }, silentLog, partsOf(this.clock, parts));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function partsOf(clock: FakeClock, parts: DownloadParts = {}): DownloadParts {
  const sleep = (ms: number) => (clock.advance(ms), Promise.resolve());
  return { clock, sleep, random: new SeededRandom(1), ...parts };
}

const csv = (headers: Record<string, string> = {}) => () =>
  new Response(CSV, { headers: { "content-type": "text/csv", ...headers } });
const status = (status: number, body: BodyInit = "", headers: Record<string, string> = {}) => () =>
  new Response(body, { status, headers });

Deno.test("rows of an address: with the token, and only where it is meant to go", async () => {
  await using rows = new Rows(csv());
  assertEquals((await rows.read()).rows, 2);
  await rows.read({ dataToken: TOKEN });
  await rows.read({ dataToken: TOKEN, dataTokenOrigin: new URL(rows.url).origin });
  await rows.read({ dataToken: TOKEN, dataTokenOrigin: "http://serin-retrain:8083" });
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "another-token-012345\n");
  await rows.read({ dataToken: TOKEN, dataTokenFile: file });
  await Deno.remove(file);
  assertEquals(rows.seen.map(({ authorization }) => authorization), [
    ...[null, `Bearer ${TOKEN}`, `Bearer ${TOKEN}`, null, "Bearer another-token-012345"],
  ]);
  const origin = { dataToken: TOKEN, dataTokenOrigin: "serin-retrain" };
  await assertSerinError(() => rows.read(origin), "configuration", "--data-token-origin");
});

Deno.test("what fails or breaks off is tried again, within the time", async () => {
  const digest = (bytes: string) => `sha-256=:${Uint8Array.fromHex(sha256Hex(bytes)).toBase64()}:`;
  await using rows = new Rows(
    status(503),
    status(429),
    csv({ "repr-digest": digest("other bytes") }),
    csv({ "repr-digest": digest(CSV) }),
  );
  assertEquals((await rows.read()).rows, 2);
  assertEquals(rows.seen.length, 4);
  await using failing = new Rows(status(500));
  await assertSerinError(() => failing.read(), "unavailable", "/rows.csv answered 500");
  assertTrue(failing.clock.monotonic() === 30_000, `${failing.clock.monotonic()} ms`);
  assertTrue(failing.seen.length > 4, `${failing.seen.length} times`);
  await using impatient = new Rows(status(500));
  await assertSerinError(() => impatient.read({ dataWaitSeconds: 0 }), "unavailable");
  assertEquals(impatient.seen.length, 1);
});

Deno.test("an address that nobody answers, and one that never says anything", async () => {
  const clock = new FakeClock(), url = "http://127.0.0.1:1/rows.csv?signature=hunter2";
  const away = await assertSerinError(
    () => readData(url, {}, silentLog, partsOf(clock)),
    "unavailable",
    "Cannot fetch http://127.0.0.1:1/rows.csv?…",
  );
  assertEquals([away.message.includes("hunter2"), clock.monotonic()], [false, 30_000]);
  let end = () => {};
  const body = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("a,target\n"));
        end = () => controller.close();
      },
    });
  await using silent = new Rows(() => new Response(body()));
  await assertSerinError(
    () => silent.read({ dataWaitSeconds: 0 }, { quietMsMax: 50 }),
    "timeout",
    "was silent",
  );
  try {
    end();
  } catch { /* the server has seen that nobody listens */ }
});

Deno.test("a body that breaks off is told from one that is whole", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let answered = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      const head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 17\r\n\r\n";
      const body = ++answered < 3 ? CSV.slice(0, 13) : CSV;
      await connection.write(new TextEncoder().encode(head + body));
      connection.close();
    }
  })();
  const url = `http://127.0.0.1:${listener.addr.port}/rows.csv`;
  const { rows } = await readData(url, {}, silentLog, partsOf(new FakeClock()));
  assertEquals([rows, answered], [2, 3]);
  listener.close();
  await serving;
});

Deno.test("what is refused is not asked for again, and says why", async () => {
  const said = JSON.stringify({ error: { code: "conflict", message: "it is at train" } });
  const cases: [() => Response, Parameters<typeof assertSerinError>[1], string][] = [
    [status(401), "unauthenticated", "answered 401"],
    [status(403), "permission_denied", "answered 403"],
    [status(404, "<html>no</html>"), "not_found", "answered 404"],
    [status(410), "not_found", "answered 410"],
    [status(409, said), "conflict", "answered 409: it is at train"],
    [status(400), "invalid_input", "answered 400"],
    [
      status(302, "", { location: "/login?to=x" }),
      "invalid_input",
      "/login, which is not followed",
    ],
    [status(206, "a,b\n"), "invalid_input", "answered 206"],
    [status(200, "a,b\n", { "content-type": "text/html; charset=utf-8" }), "invalid_data", "page"],
    [status(200, "\n<!DOCTYPE html><p>log in"), "invalid_data", "a page (HTML), no CSV"],
    [status(200, ""), "invalid_data", "is empty"],
    [csv({ "content-type": "text/csv" }), "too_large", "at most 10 B"],
    [() => new Response(new Blob([CSV]).stream()), "too_large", "at most 10 B"],
  ];
  for (const [answer, code, part] of cases) {
    await using rows = new Rows(answer);
    const parts = code === "too_large" ? { bytesMax: 10 } : {};
    await assertSerinError(() => rows.read({ dataToken: TOKEN }, parts), code, part);
    assertEquals(rows.seen.length, 1, part);
  }
});

Deno.test("hints about the token say what is missing", async () => {
  await using rows = new Rows(status(401));
  const none = await assertSerinError(() => rows.read(), "unauthenticated");
  const other = await assertSerinError(() => rows.read({ dataToken: TOKEN }), "unauthenticated");
  assertIncludes(none.hint ?? "", "--data-token-file FILE");
  assertIncludes(other.hint ?? "", "is another one");
});

Deno.test("secrets of an address are in no name, error or lineage", async () => {
  const names = [
    ["data/a b.csv", "data/a b.csv"],
    ["C:rows.csv", "C:rows.csv"],
    ["https://host/rows.csv?X-Signature=hunter2#top", "https://host/rows.csv?…"],
    ["HTTP://Host:80/rows.csv", "http://host/rows.csv"],
  ];
  for (const [location, name] of names) assertEquals(nameData(location), name);
  const refused: [location: string, shown: string][] = [
    ["http://user:hunter2@host/rows.csv?b=hunter2", "a password: http://…@host/rows.csv"],
    ["https://hunter2@host/rows.csv", "https://…@host/rows.csv"],
    ["ftp://u:hunter2@host/rows.csv", "ftp://…@host/rows.csv: no file, no http(s) URL"],
    ["s3://bucket/rows.csv?key=hunter2", "s3://bucket/rows.csv"],
    ["http://:0:0/rows.csv", "no http(s) URL"],
  ];
  for (const [location, shown] of refused) {
    const thrown = await assertSerinError(
      () => readData(location, {}, silentLog),
      "configuration",
      shown,
    );
    assertEquals(`${thrown.message} ${thrown.hint}`.includes("hunter2"), false, location);
  }
  await assertSerinError(() => readData("no.csv", {}, silentLog), "not_found", "--data no.csv");
  const gone = new Rows(csv()), address = gone.url;
  await gone[Symbol.asyncDispose]();
  for (const end of ["?key=hunter2", "?key=hunter2#top"]) {
    const read = () => readData(`${address}${end}`, { dataWaitSeconds: 0 }, silentLog);
    const thrown = await assertSerinError(read, "unavailable", "rows.csv?…");
    assertEquals(thrown.message.includes("hunter2"), false, thrown.message);
  }
});
