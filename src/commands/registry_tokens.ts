import { AccessTokens } from "../api/access/mod.ts";
import { type Log, SerinError, writeFileAtomic } from "../core/mod.ts";
import { checkToken, nameTokenFile, readTokenFile } from "./token_file.ts";

/** Shorter ones can be guessed. */
const CHARACTERS_MIN = 16;
const MADE_BYTES = 32;

/** What `serin registry` says about tokens. */
export interface TokenOptions {
  readonly host: string;
  readonly data: string;
  readonly adminTokenFile?: string | undefined;
  readonly adminToken?: string | undefined;
  readonly replicaTokenFile?: string | undefined;
  readonly replicaToken?: string | undefined;
}

/**
 * Reads the tokens of files and environment; a file goes before the environment.
 *
 * @returns undefined where none is given
 * @throws {SerinError} `configuration` for one that cannot be read, is too short, or is no token; for
 *   the same one twice; for a replica's without an admin's
 */
export async function readTokens(options: TokenOptions): Promise<AccessTokens | undefined> {
  const admin = await readOne("admin", options.adminTokenFile, options.adminToken);
  const replica = await readOne("replica", options.replicaTokenFile, options.replicaToken);
  if (admin === undefined && replica === undefined) return undefined;
  if (admin === undefined) {
    throw new SerinError("configuration", "A replica token is given and no admin token", {
      hint: "nobody could change anything: give --admin-token-file or SERIN_ADMIN_TOKEN too",
    });
  }
  return join(admin, replica, "--admin-token-file and --replica-token-file");
}

/**
 * The tokens that a registry goes by: those that were given; on this machine's own addresses none, if
 * none was given; elsewhere those of the data folder, made at the first start. To be called by the one
 * process that has the data folder.
 *
 * @throws {SerinError} `configuration` for a damaged file in the data folder, `storage`
 */
export async function openAccessTokens(
  given: AccessTokens | undefined,
  { host, data }: TokenOptions,
  log: Log,
): Promise<AccessTokens | undefined> {
  if (given !== undefined || isLoopback(host)) return given;
  const files = { admin: `${data}/admin-token`, replica: `${data}/replica-token` };
  const admin = await readOrMake(files.admin);
  const replica = await readOrMake(files.replica);
  log.info("requests need a token; none was given, so the data folder's are used", {
    adminTokenFile: files.admin,
    replicaTokenFile: files.replica,
  });
  return join(admin, replica, `${files.admin} and ${files.replica}`);
}

/**
 * @param host as it was given: what is not surely this machine's own is another's
 * @returns whether only this machine reaches it
 */
export function isLoopback(host: string): boolean {
  return host === "localhost" || /^\[?::1\]?$/.test(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

async function readOne(
  role: "admin" | "replica",
  file: string | undefined,
  value: string | undefined,
): Promise<string | undefined> {
  const variable = `SERIN_${role.toUpperCase()}_TOKEN`;
  if (file !== undefined) {
    const flag = `--${role}-token-file`;
    return checkLength(nameTokenFile(file, flag), await readTokenFile(file, flag));
  }
  return value === undefined ? undefined : checkLength(variable, checkToken(variable, value));
}

function checkLength(where: string, token: string): string {
  if (token.length >= CHARACTERS_MIN) return token;
  throw new SerinError(
    "configuration",
    `Cannot use ${where}: it has ${token.length} characters, at least ${CHARACTERS_MIN} are needed`,
    { hint: "make one with `openssl rand -hex 32`" },
  );
}

function join(admin: string, replica: string | undefined, where: string): AccessTokens {
  if (admin !== replica) return new AccessTokens({ admin, replica });
  throw new SerinError("configuration", `Admin and replica have the same token (${where})`, {
    hint: "a replica's token is there to be narrower: give it another one, or none",
  });
}

async function readOrMake(path: string): Promise<string> {
  if (await isThere(path)) return checkLength(nameTokenFile(path), await readTokenFile(path));
  const token = toBase64Url(crypto.getRandomValues(new Uint8Array(MADE_BYTES)));
  await writeFileAtomic(path, `${token}\n`, { mode: 0o600 });
  return token;
}

/** A file that is there and cannot be looked at must not be replaced. */
async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (thrown) {
    return !(thrown instanceof Deno.errors.NotFound);
  }
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
