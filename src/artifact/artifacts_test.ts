import { systemClock } from "../core/mod.ts";
import { openDatabase } from "../database/mod.ts";
import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { ARTIFACT_MIGRATIONS, type Artifacts, openArtifacts, openBlobStore } from "./mod.ts";
import { openFolderFiles, parseArtifactPath } from "./mod.ts";

async function withArtifacts(
  test: (artifacts: Artifacts, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const database = openDatabase(":memory:", ARTIFACT_MIGRATIONS);
  try {
    await test(openArtifacts(database, await openBlobStore(folder), systemClock), folder);
  } finally {
    database.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

async function countBlobs(folder: string): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir(`${folder}/sha256`)) {
    for await (const _ of Deno.readDir(`${folder}/sha256/${name}`)) count++;
  }
  return count;
}

Deno.test("a file comes back as it was put, and equal bytes are kept once", async () => {
  await withArtifacts(async (artifacts, folder) => {
    const { digest, size } = await artifacts.put("0/r/artifacts/a.txt", bytes("hello"));
    assertEquals(size, 5);
    assertEquals((await artifacts.put("0/r/artifacts/sub/b.txt", bytes("hello"))).digest, digest);
    assertEquals(await countBlobs(folder), 1);
    const open = await artifacts.open("0/r/artifacts/a.txt");
    assertEquals(await new Response(open!.stream).text(), "hello");
    assertEquals(artifacts.list("0/r/artifacts"), [
      { path: "0/r/artifacts/a.txt", isFolder: false, size: 5 },
      { path: "0/r/artifacts/sub", isFolder: true, size: undefined },
    ]);
    assertEquals(artifacts.list("").map(({ path }) => path), ["0"]);
    assertEquals(artifacts.list("0/r/nothing"), []);
    assertEquals(await artifacts.open("0/r/nothing"), undefined);
  });
});

Deno.test("a deletion frees what nothing else needs, and says how much", async () => {
  await withArtifacts(async (artifacts, folder) => {
    await artifacts.put("a/x", bytes("shared"));
    await artifacts.put("a/y/z", bytes("alone"));
    await artifacts.put("a0/x", bytes("shared"));
    assertEquals(artifacts.remove("a"), { files: 2, bytesFreed: 5 });
    assertEquals(await countBlobs(folder), 1);
    assertEquals(artifacts.list("").map(({ path }) => path), ["a0"]);
    await artifacts.put("a0/x", bytes("other"));
    assertEquals(await countBlobs(folder), 1);
    assertEquals(artifacts.remove("a0/x"), { files: 1, bytesFreed: 5 });
    assertEquals(artifacts.remove("a0/x"), { files: 0, bytesFreed: 0 });
    assertEquals(await countBlobs(folder), 0);
  });
});

Deno.test("an upload that breaks off leaves the old file and no bytes", async () => {
  await withArtifacts(async (artifacts, folder) => {
    await artifacts.put("a", bytes("old"));
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes("new"));
      },
      pull() {
        throw new Error("the sender went away");
      },
    });
    const thrown = await artifacts.put("a", broken).catch((cause) => cause);
    assertTrue(/went away/.test(thrown.message), "the sender's error is kept");
    assertEquals(await new Response((await artifacts.open("a"))!.stream).text(), "old");
    assertEquals(await countBlobs(folder), 1);
    assertEquals([...Deno.readDirSync(`${folder}/unfinished`)].length, 0);
  });
});

Deno.test("a file is no folder and a folder is no file", async () => {
  await withArtifacts(async (artifacts) => {
    await artifacts.put("a/b", bytes("1"));
    await assertSerinError(() => artifacts.put("a", bytes("2")), "invalid_input", "is a directory");
    await assertSerinError(() => artifacts.put("a/b/c", bytes("2")), "invalid_input", "is a file");
    await assertSerinError(() => artifacts.open("a"), "invalid_input", "refers to a directory");
    await assertSerinError(() => artifacts.put("", bytes("2")), "invalid_input", "names no file");
  });
});

Deno.test("unsafe paths are refused however they are encoded", async () => {
  for (
    const path of [
      "../a",
      "a/../../b",
      "/etc/passwd",
      "%2e%2e/a",
      "%252e%252e%252fa",
      "..%2fa",
      "a\\b",
      "a%5cb",
      "C:/x",
      "a\0b",
      "a%00b",
      "a#b",
      "file:///etc/passwd",
      "x".repeat(300),
      "a/".repeat(3000),
    ]
  ) {
    await assertSerinError(() => parseArtifactPath(path), "invalid_input", "Invalid path");
  }
  assertEquals(parseArtifactPath("./a//b/"), "a/b");
  assertEquals(parseArtifactPath("50%.txt"), "50%.txt");
  assertEquals(parseArtifactPath("a b/ü..txt"), "a b/ü..txt");
});

Deno.test("leftovers of unfinished uploads are cleared at the next start", async () => {
  const folder = await Deno.makeTempDir();
  await openBlobStore(folder);
  await Deno.writeTextFile(`${folder}/unfinished/half`, "half");
  await openBlobStore(folder);
  assertEquals([...Deno.readDirSync(`${folder}/unfinished`)].length, 0);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a store whose inside leads out by a symlink is not opened", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/store`);
  await Deno.mkdir(`${folder}/elsewhere`);
  await Deno.symlink(`${folder}/elsewhere`, `${folder}/store/sha256`);
  await assertSerinError(() => openBlobStore(`${folder}/store`), "storage", "elsewhere");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a fixed folder is read, but not through a symlink that leads out", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/top/run/sub`, { recursive: true });
  await Deno.writeTextFile(`${folder}/top/run/a.txt`, "a");
  await Deno.writeTextFile(`${folder}/secret`, "secret");
  await Deno.symlink(`${folder}/secret`, `${folder}/top/run/link`);
  const files = openFolderFiles(`${folder}/top`);
  assertEquals(await files.list("run"), [
    { path: "run/a.txt", isFolder: false, size: 1 },
    { path: "run/sub", isFolder: true, size: undefined },
  ]);
  assertEquals(await new Response((await files.open("run/a.txt"))!.stream).text(), "a");
  assertEquals(await files.open("run/b"), undefined);
  await assertSerinError(() => files.open("run/link"), "invalid_input", "symlink");
  await Deno.remove(folder, { recursive: true });
});
