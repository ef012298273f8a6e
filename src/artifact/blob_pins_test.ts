import { openDatabase } from "../database/mod.ts";
import { assertEquals, assertSerinError, FakeClock } from "../testing/mod.ts";
import { openArtifacts } from "./artifacts.ts";
import { BlobPins } from "./blob_pins.ts";
import { openBlobStore } from "./blob_store.ts";
import { namedBlobs, pathOfBlob } from "./named_blobs.ts";
import { ARTIFACT_MIGRATIONS } from "./schema.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("a pinned content outlives its deletion, and goes with its pin", async () => {
  const folder = await Deno.makeTempDir();
  const store = await openBlobStore(folder);
  using database = openDatabase(":memory:", ARTIFACT_MIGRATIONS);
  const artifacts = openArtifacts(database, store, new FakeClock());
  const { digest } = await artifacts.put("a/x", bytes("hello"));
  await artifacts.put("a/y", bytes("hello"));
  const named = database.read(namedBlobs).map((blob) => ({ ...blob }));
  assertEquals(named, [{ digest, size: 5, files: 2 }]);
  assertEquals(database.read((reader) => pathOfBlob(reader, digest)), "a/x");
  {
    await using pins = BlobPins.open(folder);
    assertEquals(pins.pin("0".repeat(64)), false);
    assertEquals([pins.pin(digest), pins.pin(digest)], [true, true]);
    artifacts.remove("a");
    using file = (await pins.open(digest))!;
    const read = new Uint8Array(5);
    await file.read(read);
    assertEquals(new TextDecoder().decode(read), "hello");
    assertEquals(await pins.open("0".repeat(64)), undefined);
  }
  assertEquals([...Deno.readDirSync(`${folder}/unfinished`)], []);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("pins that the registry's start cleared are read where the content is", async () => {
  const folder = await Deno.makeTempDir();
  const blob = await (await openBlobStore(folder)).write(bytes("hello"));
  blob.keep();
  await using pins = BlobPins.open(folder);
  pins.pin(blob.digest);
  await openBlobStore(folder);
  assertEquals([...Deno.readDirSync(`${folder}/unfinished`)], []);
  assertEquals(pins.pin(blob.digest), true);
  (await pins.open(blob.digest))!.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a folder that is none of blobs is not written", async () => {
  const folder = await Deno.makeTempDir();
  await assertSerinError(() => BlobPins.open(folder), "not_found", "--artifacts-destination");
  assertEquals([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder, { recursive: true });
});
