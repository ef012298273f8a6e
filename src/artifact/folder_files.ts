import { SerinError, storageError } from "../core/mod.ts";
import { parseArtifactPath } from "./artifact_path.ts";
import type { ArtifactEntry, OpenArtifact } from "./artifacts.ts";

/** A folder that clients write to themselves (a fixed artifact root); the server only reads it. */
export interface FolderFiles {
  /**
   * @returns what is directly in a folder, by name; nothing where there is no such folder
   * @throws {SerinError} `invalid_input` for an unsafe path, or a symlink that leads out
   */
  list(folder: string): Promise<ArtifactEntry[]>;
  /**
   * @returns undefined where no file has that path
   * @throws {SerinError} `invalid_input` for an unsafe path, a folder, or a symlink that leads out
   */
  open(path: string): Promise<Omit<OpenArtifact, "digest"> | undefined>;
}

/** @param root an absolute folder; nothing outside it is read, whatever symlinks say */
export function openFolderFiles(root: string): FolderFiles {
  return {
    list: (folder) => list(root, parseArtifactPath(folder)),
    open: (path) => open(root, parseArtifactPath(path)),
  };
}

/** @returns the real path, or undefined where there is nothing */
async function resolve(root: string, path: string): Promise<string | undefined> {
  try {
    const real = await Deno.realPath(`${root}/${path}`);
    const realRoot = await Deno.realPath(root);
    if (real === realRoot || real.startsWith(`${realRoot}/`)) return real;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw storageError(`Cannot read ${root}`, cause);
  }
  throw new SerinError("invalid_input", "Invalid path: a symlink leads out of the artifact folder");
}

async function list(root: string, folder: string): Promise<ArtifactEntry[]> {
  const real = await resolve(root, folder);
  if (real === undefined || !(await Deno.stat(real)).isDirectory) return [];
  const entries: ArtifactEntry[] = [];
  for await (const { name, isSymlink } of Deno.readDir(real)) {
    if (isSymlink) continue;
    const found = await Deno.stat(`${real}/${name}`).catch(() => undefined);
    if (found === undefined) continue;
    entries.push({
      path: folder === "" ? name : `${folder}/${name}`,
      isFolder: found.isDirectory,
      size: found.isDirectory ? undefined : found.size,
    });
  }
  return entries.sort((a, b) => a.path < b.path ? -1 : 1);
}

async function open(root: string, path: string) {
  const real = await resolve(root, path);
  if (real === undefined) return undefined;
  const { isFile, size } = await Deno.stat(real);
  if (!isFile) {
    throw new SerinError(
      "invalid_input",
      `Artifact path refers to a directory, not a file: '${path}'`,
    );
  }
  return { size, stream: (await Deno.open(real, { read: true })).readable };
}
