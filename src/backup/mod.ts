/**
 * Level 2: a registry's state at one moment as one archive, taken while it runs, and back: all of it
 * or nothing. What others keep in the database it knows through {@linkcode RegistryData}.
 */
export { type BackupManifest, type NamedBlob } from "./manifest.ts";
export type { RegistryData } from "./registry_data.ts";
export { readBackup, type RestoreSink } from "./restore_backup.ts";
export {
  type BlobSink,
  refuseUnfinishedRestore,
  RestoreCheck,
  RestoreFolder,
  type RestoreFolderOptions,
} from "./restore_folder.ts";
export type { ByteSink } from "./tar_writer.ts";
export {
  type BackupRequest,
  type BlobSource,
  writeBackup,
  type WrittenBackup,
} from "./write_backup.ts";
