import type { Artifacts, FolderFiles } from "../../artifact/mod.ts";
import type { Log } from "../../core/mod.ts";
import type { Registry } from "../../registry/mod.ts";
import type { Tracking } from "../../tracking/mod.ts";

/** What the routes answer from. */
export interface MlflowServices {
  readonly tracking: Tracking;
  readonly registry: Registry;
  /** Files that go through the server (`mlflow-artifacts:/`). */
  readonly artifacts: Artifacts;
  /** A fixed artifact root that clients write to themselves and this server may read. */
  readonly fixedRoot?: { readonly path: string; readonly files: FolderFiles };
  readonly log: Log;
}
