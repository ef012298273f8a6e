import { messageOf, SerinError } from "../core/mod.ts";
import { createMlflowClient, type MlflowClient } from "../mlflow/mod.ts";

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
