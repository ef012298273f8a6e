import { assertEquals, assertIncludes, assertSerinError, assertTrue } from "../testing/mod.ts";
import { readTar } from "./tar_reader.ts";
import { TarWriter } from "./tar_writer.ts";

/** Takes at most 100 bytes at a time, as a pipe may. */
class Memory {
  readonly parts: Uint8Array[] = [];

  write(bytes: Uint8Array): Promise<number> {
    this.parts.push(bytes.slice(0, 100));
    return Promise.resolve(Math.min(bytes.length, 100));
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

const FILES = new Map([
  ["empty", new Uint8Array(0)],
  ["one", new Uint8Array([7])],
  ["block", new Uint8Array(512).fill(1)],
  [`folder/${"n".repeat(90)}`, new Uint8Array(1300).map((_, i) => i)],
]);

async function archive(): Promise<Uint8Array<ArrayBuffer>> {
  const sink = new Memory();
  const tar = new TarWriter(sink, 1_700_000_000);
  for (const [name, bytes] of FILES) await tar.file(name, bytes.length, [bytes]);
  await tar.end();
  assertEquals(tar.bytes, sink.bytes.length);
  return sink.bytes;
}

/** In pieces of a length that fits nothing. */
async function* pieces(bytes: Uint8Array<ArrayBuffer>, length = 333) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.slice(at, at + length);
}

async function read(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for await (const { name, size, chunks } of readTar(pieces(bytes))) {
    const content = new Uint8Array(
      await new Response(ReadableStream.from(chunks)).arrayBuffer(),
    );
    assertEquals(content.length, size);
    found.set(name, content);
  }
  return found;
}

Deno.test("files come back as they were written", async () => {
  assertEquals([...await read(await archive())], [...FILES]);
});

Deno.test("other programs read it", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeFile(file, await archive());
  const { code, stdout } = await new Deno.Command("tar", { args: ["tf", file] }).output();
  assertEquals(code, 0);
  assertEquals(new TextDecoder().decode(stdout).trim().split("\n"), [...FILES.keys()]);
  await Deno.remove(file);
});

Deno.test("what is not read of a file is skipped", async () => {
  const names: string[] = [];
  for await (const { name } of readTar(pieces(await archive()))) names.push(name);
  assertEquals(names, [...FILES.keys()]);
});

Deno.test("sizes above 8 GiB stand in a pax header", async () => {
  const sink = new Memory(), size = 9 * 2 ** 30;
  // The header alone: what follows it would be as long as it says.
  await assertSerinError(
    () => new TarWriter(sink, 0).file("large", size, [new Uint8Array(1)]),
    "storage",
    "large has 1 bytes",
  );
  assertIncludes(new TextDecoder().decode(sink.bytes), `19 size=${size}\n`);
  for await (const entry of readTar(pieces(sink.bytes))) {
    assertEquals([entry.name, entry.size], ["large", size]);
    break;
  }
});

Deno.test("an archive that was cut off anywhere is not whole", async () => {
  const whole = await archive();
  for (let length = 0; length < whole.length; length += 97) {
    await assertSerinError(
      () => read(whole.slice(0, length)),
      "invalid_data",
      "ends in the middle",
    );
  }
});

Deno.test("a header of which a byte was altered is refused", async () => {
  const whole = await archive();
  for (let at = 0; at < 512; at++) {
    // What ends the checksum's digits says nothing.
    if (at === 154 || at === 155) continue;
    const altered = whole.slice();
    altered[at] ^= 0x15;
    const thrown = await read(altered).then(() => undefined, (cause) => cause);
    assertTrue(thrown !== undefined, `byte ${at}`);
    assertEquals(thrown.code, "invalid_data", `byte ${at}: ${thrown}`);
  }
});

Deno.test("what serin does not write is refused", async () => {
  const whole = await archive();
  const after = new Uint8Array(whole.length + 1);
  after.set(whole);
  after[whole.length] = 1;
  await assertSerinError(() => read(after), "invalid_data", "bytes follow the end");
  const text = new TextEncoder().encode("no archive".repeat(200)) as Uint8Array<ArrayBuffer>;
  await assertSerinError(() => read(text), "invalid_data", "is no tar archive");
});

Deno.test("a file that gives more or less than was said ends the archive", async () => {
  for (const given of [3, 5]) {
    const tar = new TarWriter(new Memory(), 0);
    await assertSerinError(() => tar.file("a", 4, [new Uint8Array(given)]), "storage", "expected");
  }
});
