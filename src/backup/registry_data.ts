import type { Migration, Reader } from "../database/mod.ts";
import type { NamedBlob } from "./manifest.ts";

/** What a backup has to know of tables that other rooms own. */
export interface RegistryData {
  /** All that this executable knows. */
  readonly migrations: readonly Migration[];
  /** @returns the contents that a database names, in the order of their digests */
  readonly namedBlobs: (reader: Reader) => NamedBlob[];
  /** @returns a path that leads to a content */
  readonly pathOf: (reader: Reader, digest: string) => string | undefined;
}

/** @returns what SQLite finds wrong with a database, undefined where nothing */
export function integrityProblem(reader: Reader): string | undefined {
  const [first] = reader.all<{ integrity_check: string }>("PRAGMA integrity_check(1)");
  if (first.integrity_check !== "ok") return first.integrity_check;
  const broken = reader.get<{ table: string; parent: string }>("PRAGMA foreign_key_check");
  return broken && `a row of ${broken.table} names one of ${broken.parent} that is not there`;
}
