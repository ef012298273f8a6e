import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { parseJson, readBody } from "./body.ts";

/** A body that arrives in these pieces; without an end it stays open. */
function request(pieces: Uint8Array[], { ends = true, length = "" } = {}): Request {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece !== undefined) return controller.enqueue(piece);
      if (ends) return controller.close();
      return new Promise(() => {});
    },
  });
  const headers: HeadersInit = length === "" ? {} : { "content-length": length };
  return new Request("http://local/", { method: "POST", body, headers });
}

const bytes = (length: number) => new Uint8Array(length).fill(32);

Deno.test("a body is read whole, with and without a declared length", async () => {
  assertEquals((await readBody(request([bytes(3), bytes(4)]), 7)).length, 7);
  assertEquals((await readBody(request([bytes(3)], { length: "3" }), 7)).length, 3);
  assertEquals((await readBody(new Request("http://local/"), 7)).length, 0);
});

Deno.test("a body above the limit is refused: by its declared length, or as soon as it is seen", async () => {
  const declared = request([], { ends: false, length: "8" });
  await assertSerinError(() => readBody(declared, 7), "too_large", "at least 8 bytes");
  const endless = request([bytes(4), bytes(4)], { ends: false });
  await assertSerinError(() => readBody(endless, 7), "too_large", "at most 7");
});

Deno.test("a body that does not arrive in time is given up", async () => {
  for (const length of ["", "9"]) {
    const slow = request([bytes(3)], { ends: false, length });
    await assertSerinError(() => readBody(slow, 10, 20), "timeout", "within 20 ms");
  }
});

Deno.test("what is no JSON is told with the parser's words", async () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  assertEquals(parseJson(encode('{"a":1}')), { a: 1 });
  await assertSerinError(() => parseJson(encode('{"a":')), "invalid_input", "no JSON", "UTF-8");
  await assertSerinError(
    () => parseJson(Uint8Array.of(0x22, 0xff, 0x22)),
    "invalid_input",
    "UTF-8",
  );
});
