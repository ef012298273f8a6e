import { assertEquals } from "../testing/mod.ts";
import { BYTES, parseByteSize } from "./byte_size.ts";

Deno.test("numbers of bytes are read with binary and decimal units", () => {
  const sizes = {
    "1": 1,
    "4096": 4096,
    "256Mi": 268_435_456,
    "2Gi": 2 ** 31,
    "5k": 5000,
    "1G": 1e9,
  };
  for (const [text, bytes] of Object.entries(sizes)) assertEquals(parseByteSize(text), bytes);
  for (const text of ["", "0", "-1", "1.5Gi", "256MB", "256 Mi", "1e9", "Mi"]) {
    assertEquals(BYTES.test(text), false, text);
  }
});
