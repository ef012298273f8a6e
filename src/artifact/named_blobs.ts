import type { Reader } from "../database/mod.ts";

/** A content that paths of the database lead to. */
export interface NamedBlob {
  /** SHA-256. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Paths that lead to it. */
  readonly files: number;
}

/** @returns every content that the database names, once, in the order of the digests */
export function namedBlobs(reader: Reader): NamedBlob[] {
  return reader.all<NamedBlob>(
    `SELECT digest, MAX(size) AS size, COUNT(*) AS files FROM artifact
      WHERE digest IS NOT NULL GROUP BY digest ORDER BY digest`,
  );
}

/** @returns a path that leads to a content */
export function pathOfBlob(reader: Reader, digest: string): string | undefined {
  const sql = "SELECT parent, name FROM artifact WHERE digest = ? ORDER BY parent, name LIMIT 1";
  const row = reader.get<{ parent: string; name: string }>(sql, digest);
  return row && (row.parent === "" ? row.name : `${row.parent}/${row.name}`);
}
