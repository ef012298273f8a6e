import { messageOf, SerinError, Sha256, sha256Hex } from "../core/mod.ts";
import { openDatabaseReader } from "../database/mod.ts";
import {
  type BackupManifest,
  MANIFEST_BYTES_MAX,
  type NamedBlob,
  parseManifest,
  summarise,
} from "./manifest.ts";
import { integrityProblem, type RegistryData } from "./registry_data.ts";
import { damaged, readTar, type TarEntry } from "./tar_reader.ts";
import { blobName } from "./write_backup.ts";

/** Where a backup goes. */
export interface RestoreSink {
  /** Writes the database. @returns the path of what was written */
  database(chunks: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<string>;
  /** Keeps a content; what does not have the digest is not kept. @returns the digest that it has */
  blob(digest: string, chunks: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<string>;
  token(name: string, bytes: Uint8Array): Promise<void>;
}

type Token = BackupManifest["tokens"][number];

/**
 * Reads a backup once, from its first byte to its last, checks all of it and hands it to a sink. Only
 * when this resolves is what the sink has whole.
 *
 * @throws {SerinError} `invalid_data` where the archive is none, cut off, altered or not complete;
 *   `not_implemented` for a newer serin's; `storage` for a newer serin's database, and what the sink
 *   throws
 */
export async function readBackup(
  input: AsyncIterable<Uint8Array<ArrayBuffer>>,
  data: RegistryData,
  sink: RestoreSink,
): Promise<BackupManifest> {
  const entries = readTar(input);
  try {
    const manifest = await readManifest(await nextEntry(entries, "manifest.json"));
    const entry = await nextEntry(entries, "serin.db");
    const blobs = await readDatabase(entry, manifest, data, sink);
    for (const token of manifest.tokens) {
      await readToken(await nextEntry(entries, token.name), token, sink);
    }
    for (const blob of blobs) {
      const entry = await nextEntry(entries, blobName(blob.digest));
      if (entry.size !== blob.size) {
        throw damaged(`${entry.name} has ${entry.size} bytes, the database says ${blob.size}`);
      }
      const seen = await sink.blob(blob.digest, entry.chunks);
      if (seen !== blob.digest) throw damaged(`${entry.name} has the digest ${seen}`);
    }
    const more = await entries.next();
    if (!more.done) throw damaged(`it has ${more.value.name}, which the database does not name`);
    return manifest;
  } finally {
    await entries.return(undefined);
  }
}

async function nextEntry(entries: AsyncGenerator<TarEntry>, name: string): Promise<TarEntry> {
  const { done, value } = await entries.next();
  if (done) throw damaged(`it ends before ${name}`);
  if (value.name !== name) {
    throw name === "manifest.json"
      ? new SerinError("invalid_data", `The archive begins with ${value.name}: it is no backup`, {
        hint: "give what `serin backup` wrote, as it was",
      })
      : damaged(`it has ${value.name} where ${name} must be`);
  }
  return value;
}

async function readManifest(entry: TarEntry): Promise<BackupManifest> {
  return parseManifest(new TextDecoder().decode(await readSmall(entry)));
}

async function readSmall({ name, size, chunks }: TarEntry): Promise<Uint8Array> {
  if (size > MANIFEST_BYTES_MAX) throw damaged(`${name} has ${size} bytes`);
  return new Uint8Array(await new Response(ReadableStream.from(chunks)).arrayBuffer());
}

async function readToken(entry: TarEntry, token: Token, sink: RestoreSink): Promise<void> {
  const bytes = await readSmall(entry);
  if (sha256Hex(bytes) !== token.sha256) throw damaged(`${token.name} was altered`);
  await sink.token(token.name, bytes);
}

/** @returns the contents that must follow */
async function readDatabase(
  entry: TarEntry,
  manifest: BackupManifest,
  data: RegistryData,
  sink: RestoreSink,
): Promise<NamedBlob[]> {
  const hash = new Sha256();
  const path = await sink.database(hashed(entry.chunks, hash));
  const seen = hash.hex();
  if (entry.size !== manifest.database.bytes || seen !== manifest.database.sha256) {
    throw damaged(`serin.db has the digest ${seen}, the manifest says ${manifest.database.sha256}`);
  }
  using opened = openDatabaseReader(path, data.migrations, { older: true });
  return opened.read((reader) => {
    const problem = checked(() => integrityProblem(reader));
    if (problem !== undefined) throw damaged(`its database: ${problem}`);
    const blobs = data.namedBlobs(reader);
    const said = manifest.artifacts, found = summarise(blobs);
    if (found.sha256 !== said.sha256 || found.files !== said.files) {
      throw damaged(
        `its database names ${found.files} files in ${found.blobs} contents, the manifest says ` +
          `${said.files} in ${said.blobs}`,
      );
    }
    return blobs;
  });
}

function checked(check: () => string | undefined): string | undefined {
  try {
    return check();
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** Hashes what goes by. */
export async function* hashed(chunks: AsyncIterable<Uint8Array<ArrayBuffer>>, hash: Sha256) {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}
