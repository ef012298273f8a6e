import { openBlobStore } from "../artifact/mod.ts";
import { type BackupManifest, readBackup, RestoreCheck, RestoreFolder } from "../backup/mod.ts";
import type { CommandContext } from "../cli/mod.ts";
import { formatBytes, formatDuration, SerinError, storageError, systemClock } from "../core/mod.ts";
import { registryData, registryFilesFolder } from "./registry_data.ts";

/** The options of `serin restore`. */
export interface RestoreOptions {
  readonly input: string;
  readonly data?: string | undefined;
  readonly artifactsDestination?: string | undefined;
  readonly check: boolean;
}

/** Restores or checks, prints what the archive held. */
export async function run(options: RestoreOptions, { print }: CommandContext): Promise<void> {
  const { data, check } = options;
  if (check === (data !== undefined)) {
    throw new SerinError(
      "usage",
      check ? "--check restores nothing: --data has no use" : "--data or --check is missing",
      { hint: "give --data DIR to restore, or --check to look only" },
    );
  }
  const startMs = systemClock.monotonic();
  const manifest = data === undefined
    ? await checkOnly(options.input)
    : await restore(options.input, data, options.artifactsDestination);
  const seconds = formatDuration(systemClock.monotonic() - startMs);
  print(
    data === undefined
      ? `${options.input} is whole (${seconds})`
      : `${data} was restored (${seconds})`,
  );
  for (const line of linesOf(manifest)) print(line);
}

async function checkOnly(path: string): Promise<BackupManifest> {
  const input = await openInput(path);
  using check = new RestoreCheck();
  return await readBackup(input, registryData, check);
}

async function restore(
  path: string,
  data: string,
  destination: string | undefined,
): Promise<BackupManifest> {
  const input = await openInput(path);
  const files = registryFilesFolder(data, destination);
  await using folder = await RestoreFolder.open({ data, files, openBlobs: openBlobStore });
  const manifest = await readBackup(input, registryData, folder);
  await folder.commit();
  return manifest;
}

async function openInput(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  if (path !== "-") {
    try {
      return (await Deno.open(path, { read: true })).readable;
    } catch (cause) {
      throw storageError(`Cannot read ${path}`, cause);
    }
  }
  if (!Deno.stdin.isTerminal()) return Deno.stdin.readable;
  throw new SerinError("usage", "Cannot read an archive from a terminal", {
    hint: "send it to stdin: serin restore --input - --data DIR < serin-backup.tar",
  });
}

function linesOf({ serin, createdAt, database, artifacts, tokens }: BackupManifest): string[] {
  const pending = registryData.migrations.length - database.migrations.length;
  return [
    `state of   ${createdAt}, saved by serin ${serin}`,
    `database   ${formatBytes(database.bytes)}, ${database.migrations.length} migrations` +
    (pending > 0 ? `, ${pending} more at the registry's start` : ""),
    `files      ${artifacts.files} in ${artifacts.blobs} contents, ${formatBytes(artifacts.bytes)}`,
    `tokens     ${tokens.map(({ name }) => name).join(", ") || "none"}`,
  ];
}
