/**
 * Level 2: where files live. Bytes are kept once by their SHA-256 in a folder; what path leads to
 * which bytes is in the database, so that a listing costs as much as it shows and a crash leaves no
 * half-written file under a name.
 */
export { type BlobStore, openBlobStore, type StoredBlob } from "./blob_store.ts";
export {
  type ArtifactEntry,
  type Artifacts,
  type OpenArtifact,
  openArtifacts,
  type RemovedArtifacts,
} from "./artifacts.ts";
export { BlobPins } from "./blob_pins.ts";
export { type NamedBlob, namedBlobs, pathOfBlob } from "./named_blobs.ts";
export { decodeFully, parseArtifactPath } from "./artifact_path.ts";
export { ARTIFACT_MIGRATIONS } from "./schema.ts";
export { type FolderFiles, openFolderFiles } from "./folder_files.ts";
