import {
  ARTIFACT_MIGRATIONS,
  BlobPins,
  namedBlobs,
  openArtifacts,
  openBlobStore,
  pathOfBlob,
} from "../artifact/mod.ts";
import type { SerinError } from "../core/mod.ts";
import { type Migration, openDatabase } from "../database/mod.ts";
import { assertEquals, assertSerinError, assertTrue, FakeClock } from "../testing/mod.ts";
import { readBackup } from "./restore_backup.ts";
import { refuseUnfinishedRestore, RestoreCheck, RestoreFolder } from "./restore_folder.ts";
import { readTar } from "./tar_reader.ts";
import { TarWriter } from "./tar_writer.ts";
import { type BlobSource, writeBackup } from "./write_backup.ts";

const DATA = { migrations: ARTIFACT_MIGRATIONS, namedBlobs, pathOf: pathOfBlob };
const bytesOf = (text: string) => new TextEncoder().encode(text);

class Memory {
  #parts: Uint8Array<ArrayBuffer>[] = [];

  write(bytes: Uint8Array): Promise<number> {
    this.#parts.push(bytes.slice());
    return Promise.resolve(bytes.length);
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await new Blob(this.#parts).arrayBuffer());
  }
}

/** A data folder with a few files, open as a registry has it. */
class Bench implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    readonly database: ReturnType<typeof openDatabase>,
    readonly artifacts: ReturnType<typeof openArtifacts>,
  ) {}

  static async open(migrations: readonly Migration[] = ARTIFACT_MIGRATIONS): Promise<Bench> {
    const folder = await Deno.makeTempDir();
    await Deno.mkdir(`${folder}/data`);
    const database = openDatabase(`${folder}/data/serin.db`, migrations);
    const blobs = await openBlobStore(`${folder}/data/artifacts`);
    const artifacts = openArtifacts(database, blobs, new FakeClock());
    for (const text of ["one", "two", "three"]) {
      await artifacts.put(`run/${text}`, bytesOf(text.repeat(500)));
    }
    await artifacts.put("run/again", bytesOf("one".repeat(500)));
    return new Bench(folder, database, artifacts);
  }

  async backup(
    wrap: (pins: BlobPins) => BlobSource = (pins) => pins,
    migrations: readonly Migration[] = DATA.migrations,
  ) {
    const sink = new Memory();
    await using pins = BlobPins.open(`${this.folder}/data/artifacts`);
    const written = await writeBackup({
      ...DATA,
      migrations,
      database: `${this.folder}/data/serin.db`,
      blobs: wrap(pins),
      tokens: new Map([["admin-token", bytesOf("secret\n")]]),
      serin: "0.1.0",
      clock: new FakeClock(),
    }, sink);
    const bytes = await sink.bytes();
    assertEquals(bytes.length, written.bytes);
    return { bytes, manifest: written.manifest };
  }

  /** Restores to `folder/NAME`. */
  async restore(bytes: Uint8Array<ArrayBuffer>, name: string, migrations?: readonly Migration[]) {
    const data = `${this.folder}/${name}`, files = `${data}/artifacts`;
    await using folder = await RestoreFolder.open({ data, files, openBlobs: openBlobStore });
    const known = { ...DATA, migrations: migrations ?? DATA.migrations };
    const manifest = await readBackup(ReadableStream.from([bytes]), known, folder);
    await folder.commit();
    return manifest;
  }

  namesIn(path: string): string[] {
    return [...Deno.readDirSync(`${this.folder}/${path}`)].map(({ name }) => name).toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** The same archive, its entries changed by `change`. */
async function rewritten(
  bytes: Uint8Array<ArrayBuffer>,
  change: (entries: [string, Uint8Array<ArrayBuffer>][]) => [string, Uint8Array<ArrayBuffer>][],
): Promise<Uint8Array<ArrayBuffer>> {
  const entries: [string, Uint8Array<ArrayBuffer>][] = [];
  for await (const { name, chunks } of readTar(ReadableStream.from([bytes]))) {
    const content = await new Response(ReadableStream.from(chunks)).arrayBuffer();
    entries.push([name, new Uint8Array(content)]);
  }
  const sink = new Memory(), tar = new TarWriter(sink, 0);
  for (const [name, content] of change(entries)) await tar.file(name, content.length, [content]);
  await tar.end();
  return await sink.bytes();
}

Deno.test("what was saved comes back: paths, contents, tokens; a second time it is refused", async () => {
  await using bench = await Bench.open();
  const { bytes, manifest } = await bench.backup();
  assertEquals([manifest.artifacts.files, manifest.artifacts.blobs], [4, 3]);
  assertEquals(bench.namesIn("data/artifacts/unfinished"), []);
  // What a file system puts at the root of a volume.
  await Deno.mkdir(`${bench.folder}/new/lost+found`, { recursive: true });
  assertEquals(await bench.restore(bytes, "new"), manifest);
  assertEquals(bench.namesIn("new"), [
    ...[".lock", "admin-token", "artifacts", "lost+found", "serin.db"],
  ]);
  assertEquals(Deno.readTextFileSync(`${bench.folder}/new/admin-token`), "secret\n");
  assertEquals(Deno.statSync(`${bench.folder}/new/admin-token`).mode! & 0o777, 0o600);
  using database = openDatabase(`${bench.folder}/new/serin.db`, ARTIFACT_MIGRATIONS);
  const blobs = await openBlobStore(`${bench.folder}/new/artifacts`);
  const artifacts = openArtifacts(database, blobs, new FakeClock());
  for (const text of ["one", "two", "three"]) {
    const { stream } = (await artifacts.open(`run/${text}`))!;
    assertEquals(await new Response(stream).text(), text.repeat(500));
  }
  await assertSerinError(() => bench.restore(bytes, "new"), "already_exists", "is not empty");
});

Deno.test("a file deleted between snapshot and look is not in the backup, nor missed", async () => {
  await using bench = await Bench.open();
  let looks = 0;
  const { bytes, manifest } = await bench.backup((pins) => ({
    workFolder: pins.workFolder,
    open: (digest) => pins.open(digest),
    pin(digest) {
      if (looks++ === 0) bench.artifacts.remove("run/two");
      return pins.pin(digest);
    },
  }));
  assertEquals([manifest.artifacts.files, manifest.artifacts.blobs], [3, 2]);
  await bench.restore(bytes, "new");
});

Deno.test("a file deleted while the archive is written is in it", async () => {
  await using bench = await Bench.open();
  const { bytes, manifest } = await bench.backup((pins) => ({
    workFolder: pins.workFolder,
    pin: (digest) => pins.pin(digest),
    open(digest) {
      bench.artifacts.remove("run");
      return pins.open(digest);
    },
  }));
  assertEquals(manifest.artifacts.files, 4);
  await bench.restore(bytes, "new");
});

Deno.test("lost and damaged files are named, and there is no archive", async () => {
  await using bench = await Bench.open();
  const { digest } = await bench.artifacts.put("run/model.onnx", bytesOf("model"));
  const path = `${bench.folder}/data/artifacts/sha256/${digest.slice(0, 2)}/${digest}`;
  await Deno.writeTextFile(path, "Model");
  await assertSerinError(() => bench.backup(), "storage", digest, "is damaged on the disk");
  await Deno.remove(path);
  await assertSerinError(() => bench.backup(), "storage", "run/model.onnx", "not on the disk");
  assertEquals(bench.namesIn("data/artifacts/unfinished"), []);
});

Deno.test("a cut or altered archive restores nothing and leaves nothing", async () => {
  await using bench = await Bench.open();
  const { bytes } = await bench.backup();
  // Bytes that say nothing: unused header fields do (their checksum), what pads a file does not.
  let padding = 0;
  for (let at = 0; at < bytes.length; at += 211) {
    const altered = bytes.slice();
    altered[at] ^= 0x41;
    using check = new RestoreCheck();
    const thrown: SerinError | undefined = await readBackup(
      ReadableStream.from([altered]),
      DATA,
      check,
    ).then(() => undefined, (cause) => cause);
    if (thrown === undefined) padding++;
    else assertEquals(thrown.code, "invalid_data", `byte ${at}: ${thrown}`);
  }
  assertTrue(padding < bytes.length / 211 / 8, `${padding} alterations were not seen`);
  for (const length of [0, 511, 5000, bytes.length / 2, bytes.length - 1024, bytes.length - 1]) {
    const cut = bytes.slice(0, length);
    await assertSerinError(() => bench.restore(cut, "new"), "invalid_data", "ends in the middle");
  }
  assertEquals(bench.namesIn(""), ["data"]);
});

Deno.test("an archive with more, fewer or other entries is refused", async () => {
  await using bench = await Bench.open();
  const { bytes } = await bench.backup();
  type Entries = [string, Uint8Array<ArrayBuffer>][];
  const cases: [part: string, change: (entries: Entries) => Entries][] = [
    ["it ends before artifacts/", (entries) => entries.slice(0, -1)],
    ["it ends before serin.db", (entries) => entries.slice(0, 1)],
    ["does not name", (entries) => [...entries, ["artifacts/x", bytesOf("x")]]],
    ["where artifacts/", (entries) => entries.with(-1, entries.at(-2)!).with(-2, entries.at(-1)!)],
    ["begins with serin.db", (entries) => entries.slice(1)],
    ["admin-token was altered", (entries) => entries.with(2, ["admin-token", bytesOf("secreT\n")])],
    ["the manifest says", (entries) => entries.with(1, ["serin.db", new Uint8Array(4096)])],
    ["wrong form", (entries) => entries.with(0, ["manifest.json", bytesOf('"text"')])],
    ["no JSON", (entries) => entries.with(0, ["manifest.json", bytesOf("{")])],
    [
      "wrong form",
      (entries) => {
        const manifest = { ...JSON.parse(new TextDecoder().decode(entries[0][1])), more: 1 };
        return entries.with(0, ["manifest.json", bytesOf(JSON.stringify(manifest))]);
      },
    ],
  ];
  for (const [part, change] of cases) {
    const changed = await rewritten(bytes, change);
    await assertSerinError(() => bench.restore(changed, "new"), "invalid_data", part);
    assertEquals(bench.namesIn(""), ["data"], part);
  }
});

Deno.test("a newer serin's archive and database are refused, an older one's are taken", async () => {
  const later = { id: "later/0001", sql: "CREATE TABLE later (x INTEGER) STRICT" };
  const migrations = [...ARTIFACT_MIGRATIONS, later];
  await using bench = await Bench.open(migrations);
  const { bytes } = await bench.backup((pins) => pins, migrations);
  await assertSerinError(() => bench.restore(bytes, "new"), "storage", "later/0001", "newer serin");
  const format2 = await rewritten(bytes, (entries) => {
    const manifest = { ...JSON.parse(new TextDecoder().decode(entries[0][1])), format: 2 };
    return entries.with(0, ["manifest.json", bytesOf(JSON.stringify(manifest))]);
  });
  await assertSerinError(() => bench.restore(format2, "new"), "not_implemented", "format 2");
  assertEquals(bench.namesIn(""), ["data"]);
  await bench.restore(bytes, "new", [...migrations, { id: "x", sql: "SELECT 1" }]);
});

Deno.test("an unfinished restore keeps the registry out, and the next restore clears it", async () => {
  await using bench = await Bench.open();
  const { bytes } = await bench.backup();
  const data = `${bench.folder}/new`, files = `${data}/artifacts`;
  // As a process leaves it that was killed between the two renames of its end.
  await Deno.mkdir(`${data}/.restore`, { recursive: true });
  await Deno.writeTextFile(`${data}/.restore/files-folder`, files);
  await Deno.mkdir(`${files}/sha256/ab`, { recursive: true });
  await Deno.writeTextFile(`${files}/sha256/ab/half`, "half");
  await Deno.writeTextFile(`${data}/admin-token`, "half");
  await assertSerinError(() => refuseUnfinishedRestore(data), "conflict", "serin restore");
  const elsewhere = { data, files: `${bench.folder}/files`, openBlobs: openBlobStore };
  await assertSerinError(() => RestoreFolder.open(elsewhere), "conflict", files);
  await bench.restore(bytes, "new");
  await refuseUnfinishedRestore(data);
  assertTrue(!bench.namesIn("new/artifacts/sha256").includes("ab"), "what was half is gone");
});
