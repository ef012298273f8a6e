import { assertEquals } from "../../testing/mod.ts";
import { type BlockPlace, BlockPlaces } from "./block_places.ts";

Deno.test("blocks by time, of one time as they were added, also of many", () => {
  const places = new BlockPlaces(), added: BlockPlace[] = [];
  for (let i = 0; i < 5000; i++) {
    const place = { log: i % 3, id: 2 ** 40 + i, firstMs: 1.8e12 + (i * 7919) % 1000 };
    added.push(place);
    places.add(place);
  }
  const inTime = added.toSorted((a, b) => a.firstMs - b.firstMs || a.id - b.id);
  assertEquals([...places.inTime({})], inTime);
  assertEquals([...places.inTime({ newestFirst: true })], inTime.toReversed());
  assertEquals([...new BlockPlaces().inTime({})], []);
});
