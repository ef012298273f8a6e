import { accessControl, type AccessTokens, originControl } from "../api/access/mod.ts";
import { createRegistryHttp, type HttpApp } from "../api/mlflow/mod.ts";
import {
  ARTIFACT_MIGRATIONS,
  type Artifacts,
  openArtifacts,
  openBlobStore,
  openFolderFiles,
} from "../artifact/mod.ts";
import {
  type Clock,
  type Log,
  type Random,
  SerinError,
  storageError,
  systemClock,
  SystemRandom,
} from "../core/mod.ts";
import { type Database, type Migration, openDatabase } from "../database/mod.ts";
import { openRegistry, type Registry, REGISTRY_MIGRATIONS } from "../registry/mod.ts";
import { openTracking, type Tracking, TRACKING_MIGRATIONS } from "../tracking/mod.ts";

/** What a registry stands on. */
export interface RegistryAppOptions {
  /** Folder of the database and the files; made where it is missing. */
  readonly dataFolder: string;
  readonly log: Log;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the system's. */
  readonly random?: Random;
  /** Default "mlflow-artifacts:/": files go through the server. */
  readonly defaultArtifactRoot?: string;
  /** Default `dataFolder`/artifacts. */
  readonly artifactsDestination?: string;
  /** What the source of a new version must match. */
  readonly sourcePattern?: RegExp;
  /**
   * Whose requests are answered; default everybody's. Called when this process has the data folder
   * for itself.
   */
  readonly openTokens?: () => Promise<AccessTokens | undefined>;
  /** Tables of who else keeps state in the database, after the registry's own. */
  readonly migrations?: readonly Migration[];
  /** Adds routes before the answer "no such route". */
  readonly mount?: (app: HttpApp, parts: RegistryParts) => void;
}

/** What an added route may use. */
export interface RegistryParts {
  readonly database: Database;
  readonly tracking: Tracking;
  readonly registry: Registry;
  readonly artifacts: Artifacts;
}

/** A registry that is open. */
export interface RegistryApp extends RegistryParts {
  /** Answers requests: `Deno.serve(…, app.fetch)`, or `app.request()` in a test. */
  readonly app: HttpApp;
  /** Gives the data folder free. */
  close(): void;
}

/**
 * Opens database, tracking, registry and files of a data folder and joins them in one HTTP app.
 *
 * @throws {SerinError} `storage` when the folder is read-only, full, or not serin's; `conflict` when
 * another process has it; `not_implemented` for a destination that is no folder
 */
export async function openRegistryApp(options: RegistryAppOptions): Promise<RegistryApp> {
  const { dataFolder, log, clock = systemClock, random = new SystemRandom() } = options;
  await makeFolder(dataFolder);
  const database = openDatabase(`${dataFolder}/serin.db`, [
    ...ARTIFACT_MIGRATIONS,
    ...TRACKING_MIGRATIONS,
    ...REGISTRY_MIGRATIONS,
    ...(options.migrations ?? []),
  ], { clock });
  try {
    const destination = folderOf(options.artifactsDestination ?? `${dataFolder}/artifacts`);
    const artifacts = openArtifacts(database, await openBlobStore(destination), clock);
    const root = artifactRootOf(options.defaultArtifactRoot ?? "mlflow-artifacts:/");
    const tracking = openTracking({ database, clock, random, artifactRoot: root.uri });
    const registry = openRegistry({
      database,
      clock,
      sources: sourcesOf(tracking),
      sourcePattern: options.sourcePattern,
    });
    const parts = { database, tracking, registry, artifacts };
    const services = { ...parts, fixedRoot: root.fixed, log };
    const tokens = await options.openTokens?.();
    const app = createRegistryHttp(services, {
      mount: (http) => options.mount?.(http, parts),
      guard: tokens === undefined ? originControl({ log }) : accessControl(tokens, { log }),
    });
    return { ...parts, app, close: () => database.close() };
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    throw storageError(`Cannot make the folder ${folder}`, cause);
  }
}

/** @throws {SerinError} `not_implemented` where it is another kind of store than a folder */
function folderOf(destination: string): string {
  const path = destination.replace(/^file:(\/\/[^/]*)?/, "");
  if (!/^[A-Za-z][A-Za-z0-9+.-]+:/.test(path)) return path;
  throw new SerinError("not_implemented", `Cannot keep files in ${destination}: not a folder`, {
    hint: "give a folder with --artifacts-destination, or let clients write to the store " +
      `themselves with --default-artifact-root ${destination}`,
  });
}

/** A folder is given to clients as an absolute path, and may be read by this server. */
function artifactRootOf(root: string) {
  const path = root.replace(/^file:(\/\/[^/]*)?/, "");
  if (/^[A-Za-z][A-Za-z0-9+.-]+:/.test(path)) return { uri: root, fixed: undefined };
  const absolute = (path.startsWith("/") ? path : `${Deno.cwd()}/${path}`)
    .replace(/\/\.?(?=\/|$)/g, "");
  return { uri: absolute, fixed: { path: absolute, files: openFolderFiles(absolute) } };
}

function sourcesOf({ runs, models }: Tracking) {
  return {
    findRun: (runId: string) => runs.findInfo(runId),
    findLoggedModel: (modelId: string) => models.find(modelId),
  };
}
