import { type Clock, SerinError, Sha256, storageError } from "../core/mod.ts";
import { openDatabaseReader, type Reader, snapshotDatabase } from "../database/mod.ts";
import { integrityProblem, type RegistryData } from "./registry_data.ts";
import { BACKUP_FORMAT, type BackupManifest, type NamedBlob, summarise } from "./manifest.ts";
import { type ByteSink, TarWriter } from "./tar_writer.ts";

const CHUNK_BYTES = 256 * 1024;

/** Contents that the registry keeps and may delete meanwhile. */
export interface BlobSource {
  /** Where a copy of the database may lie for a while. */
  readonly workFolder: string;
  /** Keeps a content until the end. @returns whether it is there */
  pin(digest: string): boolean;
  /** @returns undefined where there is none */
  open(digest: string): Promise<Deno.FsFile | undefined>;
}

/** What {@linkcode writeBackup} saves. */
export interface BackupRequest extends RegistryData {
  /** The database's file. */
  readonly database: string;
  readonly blobs: BlobSource;
  /** Files of tokens, by name; none: the archive has no tokens. */
  readonly tokens: ReadonlyMap<BackupManifest["tokens"][number]["name"], Uint8Array>;
  /** Version of this serin. */
  readonly serin: string;
  readonly clock: Clock;
}

/** What was saved. */
export interface WrittenBackup {
  readonly manifest: BackupManifest;
  /** Bytes of the archive. */
  readonly bytes: number;
}

/**
 * Writes a registry's state at one moment as a tar archive: manifest, database, tokens, contents by
 * digest. The registry may run, be written and delete files meanwhile. Only when this resolves is the
 * archive whole; until then it has no end.
 *
 * @throws {SerinError} `storage` where something cannot be read, is lost or is damaged, or the sink is
 *   full; `not_found` where there is no database
 *
 * @example A database without files, saved and looked through
 * ```ts
 * import { readBackup, RestoreCheck, writeBackup } from "./mod.ts";
 * import { systemClock } from "../core/mod.ts";
 * import { openDatabase } from "../database/mod.ts";
 * const folder = await Deno.makeTempDir();
 * const migrations = [{ id: "example/0001", sql: "CREATE TABLE note (text TEXT NOT NULL) STRICT" }];
 * openDatabase(`${folder}/serin.db`, migrations).close();
 * const data = { migrations, namedBlobs: () => [], pathOf: () => undefined };
 * await Deno.mkdir(`${folder}/work`);
 * const blobs = { workFolder: `${folder}/work`, pin: () => true, open: async () => undefined };
 * const rest = { tokens: new Map(), serin: "0.1.0", clock: systemClock };
 * const request = { ...data, database: `${folder}/serin.db`, blobs, ...rest };
 * using archive = await Deno.create(`${folder}/backup.tar`);
 * await writeBackup(request, archive);
 * using check = new RestoreCheck();
 * const input = (await Deno.open(`${folder}/backup.tar`)).readable;
 * const manifest = await readBackup(input, data, check);
 * console.assert(manifest.database.migrations[0].id === "example/0001");
 * ```
 */
export async function writeBackup(
  request: BackupRequest,
  sink: ByteSink,
): Promise<WrittenBackup> {
  const { clock, blobs, tokens } = request;
  const createdMs = clock.now();
  const snapshot = await takeSnapshot(request);
  const database = await fileDigest(snapshot.path);
  const manifest: BackupManifest = {
    format: BACKUP_FORMAT,
    serin: request.serin,
    createdAt: new Date(createdMs).toISOString(),
    database: { ...database, migrations: snapshot.applied },
    artifacts: summarise(snapshot.blobs),
    tokens: [...tokens].map(([name, bytes]) => ({
      name,
      bytes: bytes.length,
      sha256: new Sha256().update(bytes).hex(),
    })),
  };
  const tar = new TarWriter(checkedSink(sink), Math.floor(createdMs / 1000));
  const text = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  await tar.file("manifest.json", text.length, [text]);
  const copy = await Deno.open(snapshot.path, { read: true });
  await tar.file("serin.db", database.bytes, verified(copy, "serin.db", database.sha256));
  for (const [name, bytes] of tokens) await tar.file(name, bytes.length, [bytes]);
  for (const { digest, size } of snapshot.blobs) {
    const file = await blobs.open(digest);
    if (file === undefined) throw lost([digest]);
    await tar.file(blobName(digest), size, verified(file, `the file ${digest}`, digest));
  }
  await tar.end();
  return { manifest, bytes: tar.bytes };
}

/** @returns the name of a content in the archive */
export function blobName(digest: string): string {
  return `artifacts/sha256/${digest.slice(0, 2)}/${digest}`;
}

interface Snapshot {
  readonly path: string;
  readonly blobs: readonly NamedBlob[];
  readonly applied: BackupManifest["database"]["migrations"];
}

/** A copy of the database, all of whose contents are held. */
async function takeSnapshot(request: BackupRequest): Promise<Snapshot> {
  const { database, migrations, namedBlobs, blobs } = request;
  const path = `${blobs.workFolder}/serin.db`;
  const missingFrom = (reader: Reader) =>
    namedBlobs(reader).filter(({ digest }) => !blobs.pin(digest));
  {
    // Almost all of them, so that writers wait for the last few only. What is gone by then may have
    // been deleted.
    using live = openDatabaseReader(database, migrations, { older: true });
    live.read(missingFrom);
  }
  let missing: NamedBlob[] = [];
  await snapshotDatabase(database, path, (reader) => missing = missingFrom(reader));
  if (missing.length > 0) throw lost(missing.map(({ digest }) => digest), path, request);
  return { path, ...readSnapshot(path, request) };
}

function readSnapshot(path: string, { migrations, namedBlobs }: RegistryData) {
  using opened = openDatabaseReader(path, migrations, { older: true });
  return opened.read((reader) => {
    const problem = integrityProblem(reader);
    if (problem !== undefined) {
      throw new SerinError("storage", `The registry's database is damaged: ${problem}`, {
        hint: "restore an earlier backup; a copy of this one would be damaged too",
      });
    }
    const sql = "SELECT id, sha256 FROM serin_migration ORDER BY applied_at, rowid";
    const applied = reader.all<{ id: string; sha256: string }>(sql);
    return {
      blobs: namedBlobs(reader),
      applied: applied.map(({ id, sha256 }) => ({ id, sha256 })),
    };
  });
}

function lost(digests: readonly string[], path?: string, data?: RegistryData): SerinError {
  let example = digests[0];
  if (path !== undefined && data !== undefined) {
    using opened = openDatabaseReader(path, data.migrations, { older: true });
    example = opened.read((reader) => data.pathOf(reader, digests[0])) ?? example;
  }
  const many = digests.length === 1 ? "" : ` and of ${digests.length - 1} others`;
  return new SerinError(
    "storage",
    `The bytes of artifact '${example}'${many} are not on the disk`,
    {
      hint:
        "delete the artifact if it is not needed, or restore the folder of artifacts from a copy",
      details: { digests: digests.slice(0, 100) },
    },
  );
}

async function fileDigest(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = new Sha256();
  let bytes = 0;
  for await (const chunk of chunksOf(await Deno.open(path, { read: true }))) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.hex() };
}

/** Gives a file's bytes, and throws at their end where they are not those of the digest. */
async function* verified(file: Deno.FsFile, what: string, digest: string) {
  const hash = new Sha256();
  for await (const chunk of chunksOf(file)) {
    hash.update(chunk);
    yield chunk;
  }
  const seen = hash.hex();
  if (seen === digest) return;
  throw new SerinError("storage", `${what} is damaged on the disk: its digest is ${seen}`, {
    hint: "restore the folder of artifacts from a copy, or delete the artifact",
    details: { expected: digest, seen },
  });
}

async function* chunksOf(file: Deno.FsFile): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using open = file;
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const read = await open.read(buffer);
    if (read === null) return;
    // The same memory again: whoever takes it has written or hashed it before it asks for more.
    yield buffer.subarray(0, read);
  }
}

function checkedSink(sink: ByteSink): ByteSink {
  return {
    async write(bytes) {
      try {
        return await sink.write(bytes);
      } catch (cause) {
        throw storageError("Cannot write the backup", cause);
      }
    },
  };
}
