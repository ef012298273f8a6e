import { LIMITS } from "../core/mod.ts";

/**
 * What is younger than this is left alone: another process on the same cache may have written it and
 * not named it yet.
 */
const SETTLED_MS = 10 * 60 * 1000;

/**
 * Bounds a model cache: of each model the versions that were used last stay (and those that an alias
 * pointed at), then the files that no version names are removed, also what a killed process left half
 * written. Whoever removes a file first, a version that is asked for again is fetched again.
 *
 * @param now milliseconds since the epoch
 * @returns the bytes that were freed
 */
export async function sweepCache(folder: string, now: number): Promise<number> {
  const named = new Set<string>();
  for await (const model of Deno.readDir(`${folder}/models`)) {
    for (const sha256 of await sweepModel(`${folder}/models/${model.name}`)) named.add(sha256);
  }
  let freed = 0;
  for await (const { name } of Deno.readDir(`${folder}/blobs`)) {
    if (!named.has(name)) freed += await removeSettled(`${folder}/blobs/${name}`, now);
  }
  return freed;
}

/** @returns the digests that the model's remaining versions name */
async function sweepModel(folder: string): Promise<string[]> {
  const versions: { path: string; name: string; digests: string[]; usedAt: number }[] = [];
  const pinned = new Set<string>();
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".json")) continue;
    const path = `${folder}/${name}`;
    const [text, info] = await Promise.all([Deno.readTextFile(path), Deno.stat(path)]);
    const entry = JSON.parse(text) as {
      sha256?: string;
      profile?: string | null;
      version?: string;
    };
    if (entry.version !== undefined) pinned.add(`${entry.version}.json`);
    if (entry.sha256 === undefined) continue;
    const digests = [entry.sha256, ...(entry.profile ? [entry.profile] : [])];
    versions.push({ path, name, digests, usedAt: info.mtime?.getTime() ?? 0 });
  }
  versions.sort((a, b) => b.usedAt - a.usedAt);
  const stays = versions.filter(({ name }, i) => i < LIMITS.cachedVersionsMax || pinned.has(name));
  for (const { path } of versions) {
    if (!stays.some((version) => version.path === path)) await Deno.remove(path);
  }
  return stays.flatMap(({ digests }) => digests);
}

async function removeSettled(path: string, now: number): Promise<number> {
  const { size, mtime } = await Deno.stat(path);
  if (now - (mtime?.getTime() ?? 0) < SETTLED_MS) return 0;
  await Deno.remove(path);
  return size;
}
