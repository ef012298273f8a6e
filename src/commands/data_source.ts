import { type Log, messageOf, SerinError } from "../core/mod.ts";
import { type Dataset, readCsv } from "../dataset/mod.ts";
import { type DownloadParts, downloadTable } from "./table_download.ts";
import { checkToken, readTokenFile } from "./token_file.ts";

/** `dataOptions`, parsed. */
export interface DataAccess {
  readonly dataTokenFile?: string | undefined;
  readonly dataToken?: string | undefined;
  readonly dataTokenOrigin?: string | undefined;
  readonly dataWaitSeconds?: number | undefined;
}

const WAIT_SECONDS = 30;

/**
 * Reads the table that `--data` names: a file, or an http(s) address.
 *
 * @throws {SerinError} `not_found`, `storage`, what {@linkcode downloadTable} throws, or what is wrong
 *   with the table
 */
export async function readData(
  location: string,
  access: DataAccess,
  log: Log,
  parts: DownloadParts = {},
): Promise<Dataset> {
  const url = dataUrl(location);
  if (url === undefined) return await readTable("--data", location);
  const bytes = await downloadTable(url, {
    name: nameData(location),
    token: await tokenFor(url, access),
    waitMs: 1000 * (access.dataWaitSeconds ?? WAIT_SECONDS),
    log,
    ...parts,
  });
  return await readCsv(bytes, { source: nameData(location) });
}

/**
 * Reads a CSV file.
 *
 * @param flag the option that named it, for errors
 * @throws {SerinError} `not_found`, `storage`, or what is wrong with the file
 */
export async function readTable(flag: string, path: string): Promise<Dataset> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    const why = missing ? "there is no such file" : messageOf(cause);
    throw new SerinError(missing ? "not_found" : "storage", `Cannot read ${flag} ${path}: ${why}`, {
      cause,
    });
  }
  return await readCsv(bytes, { source: path });
}

/** @returns how errors, reports and a run's lineage name it: what may be a secret of it is left out */
export function nameData(location: string): string {
  const url = URL.parse(location);
  if (url === null || !/^https?:$/.test(url.protocol)) return location;
  return `${url.origin}${url.pathname}${url.search === "" ? "" : "?…"}`;
}

/**
 * @returns the address; undefined where `--data` is a file
 * @throws {SerinError} `configuration` for what is neither, and for an address with a user or a password
 */
function dataUrl(location: string): URL | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(location)?.[1].toLowerCase();
  if (scheme === undefined) return undefined;
  const shown = location.replace(/^([^/]*\/\/)[^/]*@/, "$1…@").replace(/[?#].*$/s, "");
  const url = URL.parse(location);
  if (url === null || !/^https?$/.test(scheme)) {
    throw new SerinError("configuration", `Cannot read --data ${shown}: no file, no http(s) URL`, {
      hint: "give the path of a CSV file, or an address like https://host/rows.csv",
    });
  }
  // What is not sent is not in what `fetch` says of it either, by which a secret is found and left out.
  url.hash = "";
  if (url.username === "" && url.password === "") return url;
  throw new SerinError("configuration", `--data holds a user or a password: ${shown}`, {
    hint: "it would be in the run's lineage: give a token with --data-token-file FILE, or in the " +
      "environment as SERIN_DATA_TOKEN",
  });
}

/** A command line that a template begins may name an address which the template's token is not for. */
async function tokenFor(url: URL, access: DataAccess): Promise<string | undefined> {
  const { dataTokenFile: path, dataToken, dataTokenOrigin: only } = access;
  if (only !== undefined) {
    const origin = URL.parse(only)?.origin ?? "null";
    if (origin === "null") {
      throw new SerinError("configuration", `--data-token-origin is no URL: ${only}`, {
        hint: "give scheme, host and port, e.g. http://serin-retrain:8083",
      });
    }
    if (origin !== url.origin) return undefined;
  }
  if (path !== undefined) return await readTokenFile(path, "--data-token-file");
  return dataToken === undefined ? undefined : checkToken("SERIN_DATA_TOKEN", dataToken);
}
