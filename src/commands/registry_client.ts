import { type Clock, type Log, messageOf, SerinError } from "../core/mod.ts";
import { createMlflowClient, type MlflowClient } from "../mlflow/mod.ts";

const REACHABLE_RETRY_MS = 250;

/**
 * Opens a client of `--registry URL` with the token of `--registry-token-file`, for every command
 * that has the two.
 *
 * @throws {SerinError} `configuration` for an address that is no URL, or a token file that cannot be
 *   read or is empty
 */
export async function openRegistryClient(
  baseUrl: string,
  tokenFile: string | undefined,
): Promise<{ client: MlflowClient; token: string | undefined }> {
  const token = await readToken(tokenFile);
  const client = createMlflowClient({
    baseUrl,
    fetch: globalThis.fetch,
    ...(token === undefined ? {} : { token }),
  });
  return { client, token };
}

/** How {@linkcode waitUntilReachable} waits. */
export interface ReachableOptions {
  readonly secondsMax: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Waits for a server that is just being started, as the one of a script or of a cluster is: while it
 * accepts no connections. Any answer will do, an error's too.
 *
 * @throws {SerinError} `unavailable` when it stayed out of reach
 */
export async function waitUntilReachable(
  baseUrl: string,
  { secondsMax, clock, log, fetch }: ReachableOptions,
): Promise<void> {
  const deadline = clock.monotonic() + secondsMax * 1000;
  for (let attempt = 0;; attempt++) {
    try {
      const answer = await fetch(`${baseUrl}/health`, { signal: AbortSignal.timeout(5000) });
      await answer.body?.cancel();
      return;
    } catch (cause) {
      if (clock.monotonic() >= deadline) {
        throw new SerinError("unavailable", `Cannot reach ${baseUrl}: ${messageOf(cause)}`, {
          hint: "check that the server runs and that the address is right",
          cause,
        });
      }
    }
    if (attempt === 0) log.info(`waiting for ${baseUrl}, ${secondsMax} s at most`);
    await new Promise((done) => setTimeout(done, REACHABLE_RETRY_MS));
  }
}

const TOKEN_HINT = "the file holds the registry's bearer token and nothing else";

async function readToken(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    const token = (await Deno.readTextFile(path)).trim();
    if (token !== "") return token;
  } catch (cause) {
    throw new SerinError(
      "configuration",
      `Cannot read --registry-token-file ${path}: ${messageOf(cause)}`,
      { hint: TOKEN_HINT, cause },
    );
  }
  throw new SerinError("configuration", `The file ${path} of --registry-token-file is empty`, {
    hint: TOKEN_HINT,
  });
}
