import { ARTIFACT_MIGRATIONS, namedBlobs, pathOfBlob } from "../artifact/mod.ts";
import type { RegistryData } from "../backup/mod.ts";
import { SerinError } from "../core/mod.ts";
import { REGISTRY_MIGRATIONS } from "../registry/mod.ts";
import { rolloutMigrations } from "../rollout/mod.ts";
import { TRACKING_MIGRATIONS } from "../tracking/mod.ts";

/** What a backup knows of a registry's database: the tables of all who keep state in it. */
export const registryData: RegistryData = {
  migrations: [
    ...ARTIFACT_MIGRATIONS,
    ...TRACKING_MIGRATIONS,
    ...REGISTRY_MIGRATIONS,
    ...rolloutMigrations,
  ],
  namedBlobs,
  pathOf: pathOfBlob,
};

/**
 * @param destination `--artifacts-destination`, as the registry takes it
 * @returns the folder of a registry's files
 * @throws {SerinError} `not_implemented` where it is another kind of store than a folder
 */
export function registryFilesFolder(data: string, destination: string | undefined): string {
  const path = (destination ?? `${data.replace(/(?<=.)\/+$/, "")}/artifacts`)
    .replace(/^file:(\/\/[^/]*)?/, "");
  if (!/^[A-Za-z][A-Za-z0-9+.-]+:/.test(path)) return path;
  throw new SerinError("not_implemented", `Cannot read files of ${path}: it is not a folder`, {
    hint: "give the folder that the registry has as --artifacts-destination",
  });
}
