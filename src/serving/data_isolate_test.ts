/** What a data isolate does with what it is told while it starts. */
import { LIMITS } from "../core/mod.ts";
import { readOrtWasm } from "../inference/mod.ts";
import { CountCells } from "../rollout/router/mod.ts";
import { assertEquals, assertTrue, linearModel, until } from "../testing/mod.ts";
import { DATA_ISOLATE_PERMISSIONS } from "./isolate_pool.ts";
import type { FromIsolate, ToIsolate } from "./messages.ts";
import { toModelFile } from "./model_file.ts";
import { type ProfiledFile, withProfile } from "./version_profile.ts";

/** A data isolate of its own, and what it has said. */
class Isolate implements Disposable {
  readonly said: FromIsolate[] = [];
  readonly #worker = new Worker(new URL("./data_isolate.ts", import.meta.url), {
    type: "module",
    deno: { permissions: DATA_ISOLATE_PERMISSIONS },
  });

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<FromIsolate>) => void this.said.push(data);
  }

  tell(message: ToIsolate): void {
    this.#worker.postMessage(message);
  }

  start(files: readonly ProfiledFile[]): void {
    this.tell({
      type: "start",
      hostname: "127.0.0.1",
      port: 0,
      ortWasm: readOrtWasm(),
      counts: new CountCells().buffer,
      inflight: new SharedArrayBuffer(4),
      files,
      predictionLogRate: undefined,
      driftPartMs: 60_000,
      routes: [["m", { stable: "1", assignment: null, cells: null }]],
      keys: [],
      ready: true,
      closing: false,
    });
  }

  async heard<T extends FromIsolate["type"]>(type: T): Promise<FromIsolate & { type: T }> {
    const isIt = (message: FromIsolate): message is FromIsolate & { type: T } =>
      message.type === type;
    return await until(`it says "${type}"`, () => this.said.find(isIt));
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

function file(version: string): ProfiledFile {
  return withProfile(toModelFile("m", version, linearModel(), "m"), undefined);
}

Deno.test("a version that is dropped and named again while an isolate starts is there when it listens", async () => {
  using isolate = new Isolate();
  isolate.start([file("1"), file("2")]);
  isolate.tell({ type: "unload", model: "m", version: "2" });
  isolate.tell({ type: "load", id: 7, file: file("2") });
  const { error } = await isolate.heard("loaded");
  assertEquals(error, undefined);
  const { port } = await isolate.heard("listening");
  const answer = await fetch(`http://127.0.0.1:${port}/v2/models/m/versions/2/ready`);
  assertEquals(answer.status, 200, await answer.text());
});

Deno.test("an isolate that is told to end while it starts lets nobody in any more", async () => {
  using isolate = new Isolate();
  isolate.start([file("1")]);
  isolate.tell({ type: "drain" });
  await isolate.heard("drained");
  // Answered when the start is over.
  isolate.tell({ type: "load", id: 8, file: file("2") });
  await isolate.heard("loaded");
  assertTrue(!isolate.said.some(({ type }) => type === "listening"), "it does not listen");
});

Deno.test("labels that the registry is slow to take are bounded: 429 says what to do", async () => {
  using isolate = new Isolate();
  isolate.start([]);
  const { port } = await isolate.heard("listening");
  const send = () =>
    fetch(`http://127.0.0.1:${port}/v1/labels`, { method: "POST", body: '{"labels":[]}' });
  const waiting = Array.from({ length: LIMITS.labelRequestsMax }, send);
  const forwarded = () => isolate.said.filter((message) => message.type === "labels");
  await until("all wait", () => forwarded().length === waiting.length);
  // As bytes, and none of them read here.
  assertEquals(forwarded().map(({ body }) => new TextDecoder().decode(body))[0], '{"labels":[]}');
  const refused = await send();
  assertEquals([refused.status, (await refused.json()).code], [429, "limit_exceeded"]);
  for (const { id } of forwarded()) isolate.tell({ type: "labelled", id, answer: { accepted: 0 } });
  for (const answer of await Promise.all(waiting)) {
    assertEquals(await answer.json(), { accepted: 0 });
  }
  const again = send();
  await until("there is room again", () => forwarded().length === waiting.length + 1);
  isolate.tell({ type: "labelled", id: forwarded().at(-1)!.id, answer: { accepted: 0 } });
  assertEquals((await again).status, 200);
  await (await again).body?.cancel();
});
