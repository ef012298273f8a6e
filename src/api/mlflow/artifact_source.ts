import { type ArtifactEntry, parseArtifactPath } from "../../artifact/mod.ts";
import { SerinError } from "../../core/mod.ts";
import type { MlflowServices } from "./services.ts";

/** A file on its way to a caller. */
export interface ServedFile {
  /** Bytes. */
  readonly size: number;
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** A strong validator, where there is one. */
  readonly digest?: string;
}

/** The files under one artifact URI, wherever they are. */
export interface ArtifactSource {
  /** @returns what is directly in a folder; paths are relative to the URI */
  list(folder: string): Promise<ArtifactEntry[]>;
  /** @throws {SerinError} `not_found` */
  open(path: string): Promise<ServedFile>;
  /** @throws {SerinError} `not_implemented` where clients write for themselves */
  put(path: string, bytes: ReadableStream<Uint8Array> | Uint8Array): Promise<void>;
}

/**
 * @param uri of a run, a logged model or a version
 * @returns its files, where this server keeps them or may read them
 * @throws {SerinError} `not_implemented` where they are elsewhere: clients read them there
 */
export function artifactSourceOf(services: MlflowServices, uri: string): ArtifactSource {
  const proxied = proxiedPath(uri);
  if (proxied !== undefined) return proxiedSource(services, parseArtifactPath(proxied));
  const local = localPath(uri);
  const { fixedRoot } = services;
  if (local !== undefined && fixedRoot !== undefined) {
    const inside = local === fixedRoot.path || local.startsWith(`${fixedRoot.path}/`);
    if (inside) {
      const root = parseArtifactPath(local.slice(fixedRoot.path.length + 1));
      return folderSource(services, root);
    }
  }
  throw new SerinError("not_implemented", `Files at ${uri} are not this server's: read them there`);
}

/** @returns the path in this server's own store, or undefined where the URI is another's */
export function proxiedPath(uri: string): string | undefined {
  const found = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*)$/.exec(uri) ??
    /^https?:\/\/[^/]*.*\/api\/2\.0\/mlflow-artifacts\/artifacts\/+(.*)$/.exec(uri);
  return found?.[1];
}

function localPath(uri: string): string | undefined {
  const path = uri.startsWith("file:") ? uri.replace(/^file:(\/\/[^/]*)?/, "") : uri;
  return path.startsWith("/") ? path.replace(/\/+$/, "") : undefined;
}

function join(root: string, path: string): string {
  return [root, path].filter((part) => part !== "").join("/");
}

function relative(entries: readonly ArtifactEntry[], root: string): ArtifactEntry[] {
  const skip = root === "" ? 0 : root.length + 1;
  return entries.map((entry) => ({ ...entry, path: entry.path.slice(skip) }));
}

function missing(path: string): SerinError {
  return new SerinError("not_found", `No such artifact: '${path}'`);
}

function proxiedSource({ artifacts }: MlflowServices, root: string): ArtifactSource {
  return {
    list: (folder) =>
      Promise.try(() => relative(artifacts.list(join(root, parseArtifactPath(folder))), root)),
    open: async (path) => {
      const file = await artifacts.open(join(root, parseArtifactPath(path)));
      if (file === undefined) throw missing(path);
      return file;
    },
    put: async (path, bytes) => {
      await artifacts.put(join(root, parseArtifactPath(path)), bytes);
    },
  };
}

function folderSource({ fixedRoot }: MlflowServices, root: string): ArtifactSource {
  const { files } = fixedRoot!;
  return {
    list: async (folder) => relative(await files.list(join(root, parseArtifactPath(folder))), root),
    open: async (path) => {
      const file = await files.open(join(root, parseArtifactPath(path)));
      if (file === undefined) throw missing(path);
      return file;
    },
    put: () =>
      Promise.reject(
        new SerinError("not_implemented", "The artifact root is fixed: write the files there"),
      ),
  };
}
