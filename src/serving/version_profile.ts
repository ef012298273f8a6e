import { LIMITS, messageOf, SerinError } from "../core/mod.ts";
import type { ModelFile } from "../inference/mod.ts";
import { parseModelProfile, type ProfileState } from "../monitor/mod.ts";

/** A model file with what its training data were like, as the pool hands it over. */
export interface ProfiledFile extends ModelFile {
  readonly profile: ProfileState;
}

/**
 * A profile that is not there, or is none, is no reason not to serve: drift is then not watched, and
 * `/status` says why.
 *
 * @param profile the version's `profile.json`
 */
export function withProfile(file: ModelFile, profile: Uint8Array | undefined): ProfiledFile {
  if (profile === undefined) {
    return {
      ...file,
      profile: { missing: "there is no profile.json of at most 16 MiB beside its model" },
    };
  }
  try {
    return { ...file, profile: parseModelProfile(profile) };
  } catch (thrown) {
    if (!(thrown instanceof SerinError)) throw thrown;
    return { ...file, profile: { missing: thrown.message } };
  }
}

/**
 * Reads the `profile.json` beside a model.
 *
 * @param path a model folder, or an `.onnx` file
 * @returns undefined where there is none that can be read
 */
export async function readProfilePath(path: string): Promise<Uint8Array | undefined> {
  try {
    const { isDirectory } = await Deno.stat(path);
    const slash = path.lastIndexOf("/");
    const folder = isDirectory ? path : slash < 0 ? "." : path.slice(0, slash);
    const file = `${folder}/profile.json`, { size } = await Deno.stat(file);
    return size > LIMITS.profileBytesMax ? undefined : await Deno.readFile(file);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw new SerinError(
      "storage",
      `Cannot read the profile beside ${path}: ${messageOf(thrown)}`,
      {
        hint: "is profile.json a file that this user may read?",
        cause: thrown,
      },
    );
  }
}
