import { LIMITS } from "../core/mod.ts";
import { assertEquals } from "../testing/mod.ts";
import { sweepCache } from "./cache_sweep.ts";

const HOUR_MS = 3600 * 1000;

Deno.test("a cache keeps what was used last and what an alias names, and no bytes beside it", async () => {
  const folder = await Deno.makeTempDir(), now = Date.now();
  const write = async (path: string, text: string, ageMs: number) => {
    await Deno.writeTextFile(`${folder}/${path}`, text);
    const at = new Date(now - ageMs);
    await Deno.utime(`${folder}/${path}`, at, at);
  };
  const entryOf = (version: number) => ({
    sha256: `blob${version}`,
    profile: version === 5 ? "profile5" : null,
  });
  await Deno.mkdir(`${folder}/blobs`);
  await Deno.mkdir(`${folder}/models/m`, { recursive: true });
  for (let version = 1; version <= LIMITS.cachedVersionsMax + 3; version++) {
    const age = (100 - version) * HOUR_MS;
    await write(`models/m/${version}.json`, JSON.stringify(entryOf(version)), age);
    await write(`blobs/blob${version}`, "12345", age);
  }
  await write("models/m/@champion.json", JSON.stringify({ version: "1" }), 0);
  await write("blobs/profile5", "{}", HOUR_MS);
  await write("blobs/left.tmp", "half", HOUR_MS);
  await write("blobs/just-written", "not named yet", 0);
  assertEquals(await sweepCache(folder, now), 2 * 5 + 4);
  const names = (path: string) =>
    [...Deno.readDirSync(`${folder}/${path}`)].map(({ name }) => name).sort();
  const kept = [1, ...Array.from({ length: LIMITS.cachedVersionsMax }, (_, i) => i + 4)];
  assertEquals(names("models/m"), ["@champion.json", ...kept.map((v) => `${v}.json`)].sort());
  assertEquals(names("blobs"), [...kept.map((v) => `blob${v}`), "just-written", "profile5"].sort());
  await Deno.remove(folder, { recursive: true });
});
