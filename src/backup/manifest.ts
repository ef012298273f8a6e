import { z } from "zod";
import { SerinError, Sha256 } from "../core/mod.ts";
import { damaged } from "./tar_reader.ts";

/** Changes when an older serin could not restore the archive. */
const FORMAT = 1;
/** Far above any: it has a line a migration. */
export const MANIFEST_BYTES_MAX = 1024 * 1024;

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

const schema = z.strictObject({
  format: z.literal(FORMAT),
  /** Version of the serin that wrote it. */
  serin: z.string(),
  createdAt: z.iso.datetime(),
  database: z.strictObject({
    bytes: count,
    sha256: digest,
    migrations: z.array(z.strictObject({ id: z.string(), sha256: digest })),
  }),
  /** `files` are paths, `blobs` their different contents; the digest is of their list. */
  artifacts: z.strictObject({ files: count, blobs: count, bytes: count, sha256: digest }),
  tokens: z.array(z.strictObject({
    name: z.enum(["admin-token", "replica-token"]),
    bytes: count,
    sha256: digest,
  })),
});

/** What an archive says of itself, in its first entry. */
export type BackupManifest = z.output<typeof schema>;

/** The version of what {@linkcode BackupManifest} says, to write it. */
export const BACKUP_FORMAT = FORMAT;

/** A content that a path of the database leads to. */
export interface NamedBlob {
  /** SHA-256. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Paths that lead to it. */
  readonly files: number;
}

/** @returns what a manifest says of the blobs of a database, which are in the order of their digests */
export function summarise(blobs: readonly NamedBlob[]): BackupManifest["artifacts"] {
  const hash = new Sha256();
  let files = 0, bytes = 0;
  for (const blob of blobs) {
    hash.update(new TextEncoder().encode(`${blob.digest} ${blob.size}\n`));
    files += blob.files;
    bytes += blob.size;
  }
  return { files, blobs: blobs.length, bytes, sha256: hash.hex() };
}

/** @throws {SerinError} `invalid_data` where it is none; `not_implemented` for a newer serin's */
export function parseManifest(text: string): BackupManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(`its manifest is no JSON (${cause instanceof Error ? cause.message : cause})`);
  }
  const { format, serin } = (value ?? {}) as Record<string, unknown>;
  if (typeof format === "number" && format > FORMAT) {
    throw new SerinError("not_implemented", `The backup is of format ${format}, not ${FORMAT}`, {
      hint: `restore it with serin ${serin} or a later one`,
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw damaged(`its manifest has a wrong ${path.join(".") || "form"}: ${message}`);
}
