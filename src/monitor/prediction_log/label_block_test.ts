import { SeededRandom } from "../../core/mod.ts";
import { assertEquals } from "../../testing/mod.ts";
import { LABEL_BLOCK_MAX, type PackedLabel, packLabels, readLabels } from "./label_block.ts";
import { LabelIndex } from "./label_index.ts";

const random = new SeededRandom(17);

function labelOf(label: string, row = 0, nonce = random.bytes(8)): PackedLabel {
  return { nonce, row, label };
}

Deno.test("blocks give back the labels that were packed, in their order", () => {
  const long = "x".repeat(1000), wide = "€".repeat(1000);
  const labels = ["1", "", "yes", "é", long, wide, "\u{1f600}"].map((text) => labelOf(text));
  labels.push(labelOf("last", 2 ** 32 - 1));
  const [block, ...more] = packLabels(labels);
  assertEquals([block.labels, more.length], [labels.length, 0]);
  assertEquals([...readLabels(block.bytes)], labels);
  const many = Array.from({ length: 2 * LABEL_BLOCK_MAX + 1 }, (_, row) => labelOf("1", row));
  const blocks = packLabels(many);
  assertEquals(blocks.map((one) => one.labels), [LABEL_BLOCK_MAX, LABEL_BLOCK_MAX, 1]);
  assertEquals(blocks.flatMap(({ bytes }) => [...readLabels(bytes)]), many);
  assertEquals(packLabels([]), []);
});

Deno.test("the index finds what a map finds, the first label of a row, however many there are", () => {
  const index = new LabelIndex(), known = new Map<string, string>();
  const nonces = Array.from({ length: 3000 }, () => random.bytes(8));
  // Others that differ in one word only, as hardly any do.
  for (let i = 0; i < 1000; i++) nonces.push(nonces[i].slice().fill(7, i % 2 === 0 ? 4 : 0, 8));
  for (let i = 0; i < 20_000; i++) {
    const nonce = nonces[random.uint32() % nonces.length], row = random.uint32() % 3;
    const label = `${random.uint32() % 5}`, key = `${nonce} ${row}`;
    index.add({ nonce, row, label });
    if (!known.has(key)) known.set(key, label);
  }
  for (const nonce of nonces) {
    for (const row of [0, 1, 2, 3]) {
      assertEquals(index.find(nonce, row), known.get(`${nonce} ${row}`));
    }
  }
  assertEquals(new LabelIndex().find(nonces[0], 0), undefined);
});

Deno.test("rows of one prediction are found, as many as an answer may have", () => {
  const index = new LabelIndex(), nonce = random.bytes(8);
  for (let row = 0; row < 100_000; row++) index.add({ nonce, row, label: `${row % 7}` });
  for (let row = 0; row < 100_000; row += 997) assertEquals(index.find(nonce, row), `${row % 7}`);
  assertEquals(index.find(nonce, 100_000), undefined);
});
