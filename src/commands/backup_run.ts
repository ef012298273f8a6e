import { statfs } from "node:fs/promises";
import { BlobPins } from "../artifact/mod.ts";
import { type ByteSink, writeBackup, type WrittenBackup } from "../backup/mod.ts";
import type { CommandContext } from "../cli/mod.ts";
import {
  formatBytes,
  formatDuration,
  Lifecycle,
  SerinError,
  storageError,
  syncFolder,
  systemClock,
  VERSION,
} from "../core/mod.ts";
import { registryData, registryFilesFolder } from "./registry_data.ts";

/** Free bytes on the registry's disk for each byte of its database: it is written meanwhile. */
const FREE_RATIO_MIN = 1.5;
const TOKEN_NAMES = ["admin-token", "replica-token"] as const;

/** The options of `serin backup`. */
export interface BackupOptions {
  readonly data: string;
  readonly artifactsDestination?: string | undefined;
  readonly output?: string | undefined;
  readonly withTokens: boolean;
}

/** Writes the archive; says on stderr what it holds where it went to stdout. */
export async function run(options: BackupOptions, context: CommandContext): Promise<void> {
  const { output } = options;
  const startMs = systemClock.monotonic();
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  if (output === undefined) {
    refuseTerminal();
    const written = await save(options, stoppable(Deno.stdout, lifecycle.signal), context);
    context.log.info(said("stdout", written, startMs));
    return;
  }
  const written = await replaceFile(
    output,
    (file) => save(options, stoppable(file, lifecycle.signal), context),
  );
  context.print(said(output, written, startMs));
}

async function save(
  options: BackupOptions,
  sink: ByteSink,
  { log }: CommandContext,
): Promise<WrittenBackup> {
  const { data, artifactsDestination } = options;
  const database = `${data}/serin.db`;
  await refuseMissing(data, database);
  const tokens = options.withTokens ? await readTokens(data) : new Map();
  if (options.withTokens && tokens.size === 0) {
    log.warn("the data folder has no tokens: the registry takes them from elsewhere", { data });
  }
  await using blobs = BlobPins.open(registryFilesFolder(data, artifactsDestination));
  await refuseFullDisk(database, blobs.workFolder);
  const request = { ...registryData, database, blobs, tokens, serin: VERSION, clock: systemClock };
  return await writeBackup(request, sink);
}

function said(where: string, { manifest, bytes }: WrittenBackup, startMs: number): string {
  const { artifacts, database, tokens, createdAt } = manifest;
  const tokensText = tokens.length === 0 ? "no tokens" : tokens.map(({ name }) => name).join(", ");
  const seconds = formatDuration(systemClock.monotonic() - startMs);
  return `${where}: ${formatBytes(bytes)} in ${seconds}, the state of ${createdAt}: ` +
    `database ${formatBytes(database.bytes)}, ${artifacts.files} files in ${artifacts.blobs} ` +
    `contents of ${formatBytes(artifacts.bytes)}, ${tokensText}`;
}

function refuseTerminal(): void {
  if (!Deno.stdout.isTerminal()) return;
  throw new SerinError("usage", "Cannot write an archive to a terminal", {
    hint: "give --output FILE, or send stdout to a file: serin backup > serin-backup.tar",
  });
}

/** Before anything is written into the folder of somebody else. */
async function refuseMissing(data: string, database: string): Promise<void> {
  try {
    await Deno.stat(database);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) {
      throw storageError(`Cannot read ${database}`, cause);
    }
    throw new SerinError("not_found", `${data} is no registry's data folder: it has no serin.db`, {
      hint: "give the folder that the registry has as --data",
      cause,
    });
  }
}

/** A copy that fills the registry's disk would stop the registry, and not only the backup. */
async function refuseFullDisk(database: string, workFolder: string): Promise<void> {
  let needed = 0, free = 0;
  try {
    const { bavail, bsize } = await statfs(workFolder);
    free = bavail * bsize;
    for (const path of [database, `${database}-wal`]) {
      needed += (await Deno.stat(path).catch(() => ({ size: 0 }))).size;
    }
  } catch {
    // What the disk does not tell is found out when the copy is written.
    return;
  }
  if (free > needed * FREE_RATIO_MIN) return;
  throw new SerinError(
    "storage",
    `Cannot copy the database: it has ${formatBytes(needed)}, and ${formatBytes(free)} are free ` +
      "on the disk of the registry's files",
    { hint: "enlarge the volume, or free some space: the copy lies there while the backup runs" },
  );
}

async function readTokens(data: string): Promise<Map<typeof TOKEN_NAMES[number], Uint8Array>> {
  const tokens = new Map<typeof TOKEN_NAMES[number], Uint8Array>();
  for (const name of TOKEN_NAMES) {
    try {
      tokens.set(name, await Deno.readFile(`${data}/${name}`));
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) {
        throw storageError(`Cannot read ${data}/${name}`, cause);
      }
    }
  }
  return tokens;
}

/** Ends between two writes, so that what was held is let go of. */
function stoppable(sink: ByteSink, signal: AbortSignal): ByteSink {
  return {
    write(bytes) {
      if (!signal.aborted) return sink.write(bytes);
      throw new SerinError("unavailable", "The backup was asked to end before it was whole");
    },
  };
}

/** Only its owner may read it: predictions are sealed with a key that the database has. */
async function replaceFile<T>(path: string, write: (file: Deno.FsFile) => Promise<T>): Promise<T> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  let file: Deno.FsFile;
  try {
    file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
  } catch (cause) {
    throw storageError(`Cannot write ${path}`, cause);
  }
  try {
    const result = await write(file);
    await file.sync();
    await Deno.rename(temporary, path);
    const slash = path.lastIndexOf("/");
    await syncFolder(slash < 0 ? "." : path.slice(0, slash + 1));
    return result;
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {});
    throw cause instanceof SerinError ? cause : storageError(`Cannot write ${path}`, cause);
  } finally {
    file.close();
  }
}
