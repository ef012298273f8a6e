import { type Clock, SerinError } from "../core/mod.ts";
import type { Database, Reader, Transaction } from "../database/mod.ts";
import { parseArtifactPath } from "./artifact_path.ts";
import type { BlobStore } from "./blob_store.ts";

/** Most entries that one listing shows. */
const LISTED_MAX = 100_000;

/** A file or a folder as a listing shows it. */
export interface ArtifactEntry {
  /** From the root, without a leading slash. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Bytes; undefined for a folder. */
  readonly size: number | undefined;
}

/** A file that is open for reading. */
export interface OpenArtifact {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Closes itself at its end and when it is cancelled. */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** What a deletion gave back. */
export interface RemovedArtifacts {
  readonly files: number;
  /** Bytes that no other path needed and that are off the disk. */
  readonly bytesFreed: number;
}

/** Paths → bytes. */
export interface Artifacts {
  /**
   * Stores a file under a path, in place of what was there. When this resolves, bytes and row are on
   * disk; when it rejects or the process dies before, the path shows what it showed.
   *
   * @throws {SerinError} `invalid_input` for an unsafe path, or one that is or crosses a file;
   * `storage` when the disk is full or read-only
   */
  put(
    path: string,
    bytes: ReadableStream<Uint8Array> | Uint8Array,
  ): Promise<{ digest: string; size: number }>;
  /**
   * @returns undefined where no file has that path
   * @throws {SerinError} `invalid_input` for an unsafe path or a folder; `storage` when bytes are lost
   */
  open(path: string): Promise<OpenArtifact | undefined>;
  /**
   * @returns what is directly in a folder, by name; nothing where there is no such folder
   * @throws {SerinError} `invalid_input` for an unsafe path
   */
  list(folder: string): ArtifactEntry[];
  /**
   * Deletes a file or a whole folder, and the bytes that nothing else needs.
   *
   * @throws {SerinError} `invalid_input` for an unsafe path
   */
  remove(path: string): RemovedArtifacts;
}

/**
 * Opens the artifact store over a database (whose migrations hold ARTIFACT_MIGRATIONS) and a folder.
 * Rows and bytes are changed together in synchronous sections, so a deletion never takes the bytes
 * that an upload is about to name. After a crash, bytes without a row may be left; never the reverse.
 */
export function openArtifacts(database: Database, blobs: BlobStore, clock: Clock): Artifacts {
  return new DatabaseArtifacts(database, blobs, clock);
}

interface Row {
  digest: string | null;
  size: number | null;
}

class DatabaseArtifacts implements Artifacts {
  readonly #database: Database;
  readonly #blobs: BlobStore;
  readonly #clock: Clock;

  constructor(database: Database, blobs: BlobStore, clock: Clock) {
    this.#database = database;
    this.#blobs = blobs;
    this.#clock = clock;
  }

  async put(path: string, bytes: ReadableStream<Uint8Array> | Uint8Array) {
    const safe = parseArtifactPath(path);
    if (safe === "") throw new SerinError("invalid_input", "Invalid path: it names no file");
    // Before the upload, so that a wrong path costs nothing; and again in the transaction.
    this.#database.read((reader) => checkNoClash(reader, safe));
    const blob = await this.#blobs.write(bytes);
    let replaced: string | undefined;
    try {
      blob.keep();
      replaced = this.#database.transaction((tx) =>
        name(tx, safe, blob.digest, blob.size, this.#clock.now())
      );
    } catch (cause) {
      blob.drop();
      this.#collect([blob.digest]);
      throw cause;
    }
    if (replaced !== undefined && replaced !== blob.digest) this.#collect([replaced]);
    return { digest: blob.digest, size: blob.size };
  }

  async open(path: string): Promise<OpenArtifact | undefined> {
    const safe = parseArtifactPath(path);
    const row = this.#database.read((reader) => findRow(reader, safe));
    if (row === undefined) return undefined;
    if (row.digest === null || row.size === null) {
      throw new SerinError(
        "invalid_input",
        `Artifact path refers to a directory, not a file: '${safe}'`,
      );
    }
    const file = await this.#blobs.open(row.digest);
    if (file === undefined) {
      throw new SerinError("storage", `The bytes of artifact '${safe}' are not on the disk`, {
        hint: "restore the folder of artifacts from a copy",
        details: { digest: row.digest },
      });
    }
    return { digest: row.digest, size: row.size, stream: file.readable };
  }

  list(folder: string): ArtifactEntry[] {
    const safe = parseArtifactPath(folder);
    const rows = this.#database.read((reader) =>
      reader.all<Row & { name: string }>(
        "SELECT name, digest, size FROM artifact WHERE parent = ? ORDER BY name LIMIT ?",
        safe,
        LISTED_MAX,
      )
    );
    return rows.map((row) => ({
      path: safe === "" ? row.name : `${safe}/${row.name}`,
      isFolder: row.digest === null,
      size: row.size ?? undefined,
    }));
  }

  remove(path: string): RemovedArtifacts {
    const safe = parseArtifactPath(path);
    const removed = this.#database.transaction((tx) => {
      const [parent, last] = split(safe);
      const files = tx.all<{ digest: string }>(
        `SELECT digest FROM artifact WHERE digest IS NOT NULL AND
          ((parent = ? AND name = ?) OR ${INSIDE})`,
        parent,
        last,
        ...inside(safe),
      );
      tx.run("DELETE FROM artifact WHERE parent = ? AND name = ?", parent, last);
      tx.run(`DELETE FROM artifact WHERE ${INSIDE}`, ...inside(safe));
      return files.map(({ digest }) => digest);
    });
    return { files: removed.length, bytesFreed: this.#collect(removed) };
  }

  /** Deletes the bytes of those digests that no row names. Synchronous with what came before. */
  #collect(digests: readonly string[]): number {
    let bytesFreed = 0;
    for (const digest of new Set(digests)) {
      const used = this.#database.read((reader) =>
        reader.get("SELECT 1 FROM artifact WHERE digest = ?", digest)
      );
      if (used === undefined) bytesFreed += this.#blobs.remove(digest);
    }
    return bytesFreed;
  }
}

/** Rows in a folder or below it ("0" is the character after "/"); everything for the root. */
const INSIDE = "(? = '' OR parent = ? OR (parent >= ? AND parent < ?))";

function inside(folder: string): [string, string, string, string] {
  return [folder, folder, `${folder}/`, `${folder}0`];
}

function split(path: string): [parent: string, name: string] {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? ["", path] : [path.slice(0, slash), path.slice(slash + 1)];
}

function findRow(reader: Reader, path: string): Row | undefined {
  const [parent, last] = split(path);
  const sql = "SELECT digest, size FROM artifact WHERE parent = ? AND name = ?";
  return reader.get<Row>(sql, parent, last);
}

function checkNoClash(reader: Reader, path: string): void {
  if (findRow(reader, path)?.digest === null) {
    throw new SerinError("invalid_input", `Invalid path: '${path}' is a directory`);
  }
  for (const folder of foldersOf(path)) {
    const row = findRow(reader, folder);
    if (row !== undefined && row.digest !== null) {
      throw new SerinError("invalid_input", `Invalid path: '${folder}' is a file`);
    }
  }
}

/** Gives the path its bytes. @returns the digest that it had */
function name(
  tx: Transaction,
  path: string,
  digest: string,
  size: number,
  now: number,
): string | undefined {
  checkNoClash(tx, path);
  const before = findRow(tx, path)?.digest ?? undefined;
  const insert =
    "INSERT INTO artifact (parent, name, digest, size, created_ms) VALUES (?, ?, ?, ?, ?)";
  for (const folder of foldersOf(path)) {
    tx.run(`${insert} ON CONFLICT DO NOTHING`, ...split(folder), null, null, now);
  }
  tx.run(
    `${insert} ON CONFLICT DO UPDATE SET
      digest = excluded.digest, size = excluded.size, created_ms = excluded.created_ms`,
    ...split(path),
    digest,
    size,
    now,
  );
  return before;
}

/** "a/b/c" → "a", "a/b". */
function foldersOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join("/"));
}
